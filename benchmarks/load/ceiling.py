"""Rate of the cores without a server: a plain loop of `service.imaging.read` and `Bundle.predict`.

Run one loop and print its images a second:

    python -m benchmarks.load.ceiling BUNDLE IMAGE SECONDS THREADS
"""

import subprocess
import sys
import time
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.load.servers import ROOT, Running
from benchmarks.timing import measure
from service import pipeline
from service.host.cores import usable_cores
from service.imaging import read
from service.model import Bundle
from service.observability.stopwatch import Stopwatch

_WARM_UP_SECONDS = 2.0
_WARM_UP_ROUNDS = 5
_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Images a second of two plain set-ups.

    `one_loop`: one loop with TensorFlow on all cores. `loop_per_core`: one single-threaded loop for
    each core, all together.
    """

    one_loop: float
    loop_per_core: float

    @property
    def best(self) -> float:
        """The larger of the two rates."""
        return max(self.one_loop, self.loop_per_core)


def ceiling(path: Path, image: Path, seconds: float) -> Ceiling:
    """Measure the ceiling for this bundle and this image."""
    cores = usable_cores()
    one_loop = _rate(path, image, seconds, loops=1, threads=cores)
    loop_per_core = _rate(path, image, seconds, loops=cores, threads=1)
    return Ceiling(one_loop, loop_per_core)


def overhead_milliseconds(running: Running, path: Path, data: bytes) -> tuple[float, float]:
    """Return the medians of POST /predict and of the plain call in this process, measured in turn.

    The client is `http.client` because httpx alone takes some milliseconds to send a file.

    Raises:
        RuntimeError: the service refuses the image.
    """
    bundle = Bundle.load(path)
    pipeline.warm(bundle)
    connection = HTTPConnection("127.0.0.1", running.port, timeout=60)

    def post() -> None:
        connection.request("POST", "/predict", data, {"Content-Type": "application/dicom"})
        answer = connection.getresponse()
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(f"POST /predict answers {answer.status}")
        answer.read()

    ways = {"service": post, "plain": lambda: pipeline.predict(bundle, read, data, Stopwatch())}
    measure(ways, _WARM_UP_ROUNDS)
    medians = measure(ways, _ROUNDS)
    connection.close()
    return medians["service"], medians["plain"]


def _rate(path: Path, image: Path, seconds: float, *, loops: int, threads: int) -> float:
    """Return the images a second of several loops together.

    The loops run in separate processes and start at the same time.
    """
    module = "benchmarks.load.ceiling"
    command = [sys.executable, "-m", module, str(path), str(image), str(seconds), str(threads)]
    processes = [
        subprocess.Popen(  # noqa: S603 - our own
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(loops)
    ]

    # Each loop prints a line when it is warm.
    for process in processes:
        assert process.stdout is not None  # noqa: S101 - a pipe
        process.stdout.readline()

    return sum(float(process.communicate("go\n")[0]) for process in processes)


def _loop(path: Path, data: bytes, seconds: float, threads: int) -> float:
    """Run one loop, warm up, wait for a line on standard input, and return the images a second."""
    bundle = Bundle.load(path, threads)
    _images_per_second(bundle, data, _WARM_UP_SECONDS)
    print("warm", flush=True)
    sys.stdin.readline()
    return _images_per_second(bundle, data, seconds)


def _images_per_second(bundle: Bundle, data: bytes, seconds: float) -> float:
    count = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        bundle.predict(read(data, bundle.manifest.preprocessing).fitted.image[None])
        count += 1
    return count / (time.perf_counter() - start)


if __name__ == "__main__":
    bundle_path = Path(sys.argv[1])
    image_data = Path(sys.argv[2]).read_bytes()
    print(_loop(bundle_path, image_data, float(sys.argv[3]), int(sys.argv[4])))
