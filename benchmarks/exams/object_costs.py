"""Time and size of every object of full-size mammograms, and the memory of each process."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import httpx

from benchmarks.exams.exam_requests import exam_files, post_exam, serving
from benchmarks.load.servers import Running, descendants
from benchmarks.timing import measure

_ROWS, _COLUMNS = 3328, 2560
_OBJECTS = {
    "summary": "/gradcam/summary.dcm?negatives=true",
    "report": "/gradcam/report.dcm?negatives=true",
    "marks": "/gradcam/marks.dcm?negatives=true",
    "seg": "/gradcam/seg.dcm?negatives=true",
    "sc, raw": "/gradcam/sc.dcm?negatives=true&sc_syntax=raw",
    "sc, jpeg-ls": "/gradcam/sc.dcm?negatives=true&sc_syntax=jpeg-ls",
    "sc, jpeg": "/gradcam/sc.dcm?negatives=true&sc_syntax=jpeg",
}
_EXAMS = {
    "exam, all": "/exam/dicom",
    "exam, all, negatives": "/exam/dicom?negatives=true",
    "exam, all, jpeg-ls": "/exam/dicom?sc_syntax=jpeg-ls",
}


def measure_objects(bundle: Path, rounds: int) -> None:
    """Print each object's time beside `/gradcam`, and its size, then the processes' memory."""
    files = exam_files(_ROWS, _COLUMNS)
    positive = files[-1]

    with serving(bundle) as (client, running):
        print(f"{_ROWS} x {_COLUMNS}, JPEG 2000, median of {rounds} rounds\n")
        print("| object | time | more than JSON | bytes |\n|---|---|---|---|")
        base = {"`/gradcam`": "/gradcam"}
        _print_costs(
            {
                name: partial(_post, client, route, [positive])
                for name, route in (base | _OBJECTS).items()
            },
            rounds,
        )
        base = {"`/exam`": "/exam"}
        _print_costs(
            {name: partial(_post, client, route, files) for name, route in (base | _EXAMS).items()},
            rounds,
        )
        _print_memory(running)


def _print_costs(ways: Mapping[str, partial[int]], rounds: int) -> None:
    """Print the ways in turn. The first is the one that the others are compared with."""
    sizes = {name: way() for name, way in ways.items()}
    milliseconds = measure(ways, rounds)

    base = next(iter(milliseconds.values()))
    for name, spent in milliseconds.items():
        print(f"| {name} | {spent:.0f} ms | {spent - base:+.0f} ms | {sizes[name]:,} |", flush=True)


def _post(client: httpx.Client, route: str, files: list[bytes]) -> int:
    """Post one file, or an exam, and return the size of the answer."""
    return len(post_exam(client, files, route).raise_for_status().content)


def _print_memory(running: Running) -> None:
    print("\n| process | peak memory |\n|---|---|")
    for process in descendants(running.process.pid):
        name = "service" if process == running.process.pid else f"child {process}"
        print(f"| {name} | {_peak_mebibytes(process)} MiB |")


def _peak_mebibytes(process: int) -> int:
    """Return the most memory that a process has ever had, shared pages included, see proc(5)."""
    lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM:"))
