"""What the cores can do without a server: the plain loop of `service.imaging.read` and `Bundle.predict`.

python -m benchmarks.load.ceiling BUNDLE IMAGE SECONDS THREADS    # one loop; prints images a second
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

_WARM_SECONDS = 2.0
_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Images a second of one loop with TensorFlow on all cores, and of a loop of one thread for each core."""

    one_loop: float
    loop_per_core: float

    @property
    def best(self) -> float:
        """The larger."""
        return max(self.one_loop, self.loop_per_core)


def ceiling(path: Path, image: Path, seconds: float) -> Ceiling:
    """Measured now, for that bundle and that image."""
    cores = usable_cores()
    return Ceiling(_loops(path, image, seconds, 1, cores), _loops(path, image, seconds, cores, 1))


def overhead_milliseconds(running: Running, path: Path, data: bytes) -> tuple[float, float]:
    """Medians of POST /predict and of the plain call in this process, taken in turn.

    The client is the standard library's: httpx alone takes some milliseconds to send a file.

    Raises:
        RuntimeError: the service refuses the image.
    """
    bundle = Bundle.load(path)
    pipeline.warm(bundle)
    connection = HTTPConnection("127.0.0.1", running.port, timeout=60)

    def ask() -> None:
        connection.request("POST", "/predict", data, {"Content-Type": "application/dicom"})
        answer = connection.getresponse()
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(f"it answers {answer.status}")
        answer.read()

    ways = {"service": ask, "plain": lambda: pipeline.predict(bundle, read, data, Stopwatch())}
    measure(ways, 5)
    asked, plain = measure(ways, _ROUNDS).values()
    connection.close()
    return asked, plain


def _loops(path: Path, image: Path, seconds: float, loops: int, threads: int) -> float:
    """Images a second of so many loops at a time, in processes of their own that start together."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.load.ceiling",
        str(path),
        str(image),
        str(seconds),
        str(threads),
    ]
    started = [
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
    for process in started:
        assert process.stdout is not None  # noqa: S101 - a pipe
        process.stdout.readline()  # it is warm
    return sum(float(process.communicate("go\n")[0]) for process in started)


def _loop(path: Path, data: bytes, seconds: float, threads: int) -> float:
    bundle = Bundle.load(path, threads)
    _count(bundle, data, _WARM_SECONDS)
    print("warm", flush=True)
    sys.stdin.readline()
    return _count(bundle, data, seconds)


def _count(bundle: Bundle, data: bytes, seconds: float) -> float:
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        bundle.predict(read(data, bundle.manifest.preprocessing).fitted.image[None])
        count += 1
    return count / (time.perf_counter() - start)


if __name__ == "__main__":
    print(
        _loop(
            Path(sys.argv[1]), Path(sys.argv[2]).read_bytes(), float(sys.argv[3]), int(sys.argv[4])
        )
    )
