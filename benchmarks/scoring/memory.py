"""Memory of `mammolens score` while it scores many images."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from benchmarks.load.servers import ROOT

_MEGABYTE = 2**20
_ROWS = 10


def main(arguments: Sequence[str]) -> int:
    """Print the memory of all processes at ten moments of the scoring."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        count = _write_table(folder / "table.csv", options.images, options.copies)
        process = subprocess.Popen(  # noqa: S603 - fixed arguments
            [
                *(sys.executable, "-m", "service", "score", str(options.model)),
                *(str(folder / "table.csv"), "--out", str(folder / "out")),
            ],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        samples = list(_sample(process))

    if process.returncode:
        sys.exit(f"the scoring ended with {process.returncode}")
    sys.stdout.write(f"{count} images\n\n| seconds | MB |\n|---|---|\n")
    for seconds, size in samples[:: max(1, len(samples) // _ROWS)]:
        sys.stdout.write(f"| {seconds:.0f} | {size / _MEGABYTE:.0f} |\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.scoring memory")
    parser.add_argument("--images", type=Path, required=True, help="folder of DICOM files")
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "demo")
    parser.add_argument("--copies", type=int, default=10, help="times that each image is listed")
    return parser


def _write_table(path: Path, images: Path, copies: int) -> int:
    """Write a table with every image several times. Return its rows."""
    files = sorted(images.resolve().rglob("*.dcm")) * copies
    rows = (f"{file},{number // 4}\n" for number, file in enumerate(files))
    path.write_text("path,patient_id\n" + "".join(rows), "utf-8")
    return len(files)


def _sample(process: "subprocess.Popen[bytes]") -> Iterator[tuple[float, int]]:
    """Yield the seconds since the start and the memory of a process and those below it."""
    start = time.monotonic()
    while process.poll() is None:
        yield time.monotonic() - start, _memory(process.pid)
        time.sleep(1)


def _memory(pid: int) -> int:
    """Return the proportional memory in bytes of a process and those below it."""
    try:
        top = psutil.Process(pid)
        return sum(one.memory_full_info().pss for one in (top, *top.children(recursive=True)))
    except psutil.Error:
        return 0
