"""Time and size of an exam with its pixels beside the exam alone, and of ways to pack samples."""

import gzip
import math
import time
import zlib
from collections.abc import Callable, Sequence, Sized
from functools import partial
from pathlib import Path

import httpx
import imagecodecs

from benchmarks.exams.exam_requests import exam_files, post_exam, serving
from benchmarks.timing import measure
from service.imaging import Limits, SamplesTask

_ROWS, _COLUMNS = 3328, 2560
_ROUTES = {
    "`/exam?heat=all`": "/exam?heat=all",
    "`/exam/pixels?heat=all`": "/exam/pixels?heat=all",
    "`/exam/pixels?heat=all&size=2048`": "/exam/pixels?heat=all&size=2048",
}


def measure_pixels(bundle: Path, paths: Sequence[Path], rounds: int) -> None:
    """Print the time and the size of each answer, then those of packing one image."""
    files = [path.read_bytes() for path in paths] or exam_files(_ROWS, _COLUMNS)
    print(f"{len(files)} files of {sum(map(len, files)):,} bytes, median of {rounds} rounds\n")
    _print_answers(bundle, files, rounds)
    _print_packers(files[0], rounds)


def _print_answers(bundle: Path, files: list[bytes], rounds: int) -> None:
    print("| answer | time | bytes |\n|---|---|---|")
    with serving(bundle) as (client, _):
        ways = {name: partial(_post, client, route, files) for name, route in _ROUTES.items()}
        sizes = {name: way() for name, way in ways.items()}
        for name, spent in measure(ways, rounds).items():
            print(f"| {name} | {spent:.0f} ms | {sizes[name]:,} |", flush=True)


def _post(client: httpx.Client, route: str, files: list[bytes]) -> int:
    """Post the exam and return the size of the answer."""
    return len(post_exam(client, files, route).raise_for_status().content)


def _print_packers(data: bytes, rounds: int) -> None:
    """Print the time of the processor and the size of one image's samples, by packer and level."""
    samples = gzip.decompress(SamplesTask(math.inf)(data, Limits()).content)
    packers: dict[str, Callable[[], Sized]] = {}
    for level in (1, 6):
        packers[f"zlib {level}"] = partial(zlib.compress, samples, level)
        packers[f"zlib-ng {level}"] = partial(imagecodecs.zlibng_encode, samples, level)
        packers[f"libdeflate {level}"] = partial(imagecodecs.gzip_encode, samples, level)

    print(
        f"\nsamples of {len(samples):,} bytes\n\n| packer and level | time | bytes |\n|---|---|---|"
    )
    for name, pack in packers.items():
        spent = min(_processor_milliseconds(pack) for _ in range(rounds))
        print(f"| {name} | {spent:.0f} ms | {len(pack()):,} |", flush=True)


def _processor_milliseconds(pack: Callable[[], Sized]) -> float:
    start = time.process_time()
    pack()
    return 1e3 * (time.process_time() - start)
