"""mosec: a stage of processes that decode, a stage that runs the network on batches (mosecorg.github.io).

The address and the timeout of a request are given on the command line.
"""

from mosec import Server, Worker

from benchmarks.load.peers.work import BATCH, WORKERS, Work
from service.records import Floats


class Decode(Worker):
    """Image files to network inputs."""

    def __init__(self) -> None:
        super().__init__()
        self._work = Work(WORKERS)

    def deserialize(self, data: bytes) -> bytes:
        """The body as it is."""
        return data

    def forward(self, data: bytes) -> Floats:
        """The network's input."""
        return self._work.read(data)


class Predict(Worker):
    """Network inputs to probabilities."""

    def __init__(self) -> None:
        super().__init__()
        self._work = Work(1)

    def forward(self, data: list[Floats]) -> list[dict[str, dict[str, float]]]:
        """The answer to each."""
        return [{"probabilities": found} for found in self._work.predict(data)]


if __name__ == "__main__":
    server = Server()
    server.append_worker(Decode, num=WORKERS)
    server.append_worker(Predict, max_batch_size=BATCH, max_wait_time=5)
    server.run()
