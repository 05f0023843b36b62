"""mosec: one stage of processes decodes, another runs the network on batches (mosecorg.github.io).

Address and request timeout are command-line options.
"""

from mosec import Server, Worker

from benchmarks.load.peers.work import BATCH, WORKERS, Work
from service.records import Floats


class Decode(Worker):
    """Stage that turns image files into network inputs."""

    def __init__(self) -> None:
        super().__init__()
        self._work = Work(WORKERS)

    def deserialize(self, data: bytes) -> bytes:
        """Return the body unchanged."""
        return data

    def forward(self, data: bytes) -> Floats:
        """Decode and fit the image file. Return the network's input."""
        return self._work.read(data)


class Predict(Worker):
    """Stage that turns network inputs into probabilities."""

    def __init__(self) -> None:
        super().__init__()
        self._work = Work(1)

    def forward(self, data: list[Floats]) -> list[dict[str, dict[str, float]]]:
        """Return the answer for each image."""
        return [{"probabilities": by_class} for by_class in self._work.predict(data)]


if __name__ == "__main__":
    server = Server()
    server.append_worker(Decode, num=WORKERS)
    server.append_worker(Predict, max_batch_size=BATCH, max_wait_time=5)
    server.run()
