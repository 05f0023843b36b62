"""Time of an exam of four files beside that of four heatmaps as JSON."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx

from benchmarks.exams.exam_requests import exam_files, post_exam, serving
from benchmarks.serve import post
from benchmarks.timing import measure

_ROWS, _COLUMNS = 3328, 2560


def compare_times(bundle: Path, paths: Sequence[Path], rounds: int) -> None:
    """Print the medians on one core and on two, each with their ratio, measured in turn."""
    files = [path.read_bytes() for path in paths] or exam_files(_ROWS, _COLUMNS)
    cores = sorted(os.sched_getaffinity(0))
    print(f"{len(files)} files of {sum(map(len, files)) >> 20} MiB, median of {rounds} rounds")
    print("\n| cores | `/exam` | single `/gradcam` | ratio |\n|---|---|---|---|")

    for number in (1, 2):
        if number > len(cores):
            print(f"| {number} | this machine has {len(cores)} |")
            continue
        used = ",".join(map(str, cores[:number]))
        with serving(bundle, used) as (client, _), ThreadPoolExecutor(number) as pool:
            _print_row(number, _ways(client, files, pool), rounds)


def _ways(
    client: httpx.Client, files: Sequence[bytes], pool: ThreadPoolExecutor
) -> dict[str, Callable[[], object]]:
    """Return an exam, and its files singly, as many at a time as the pool has threads."""

    def singly() -> object:
        return list(pool.map(partial(post, client, "/gradcam"), files))

    return {"exam": lambda: post_exam(client, files).raise_for_status(), "singly": singly}


def _print_row(cores: int, ways: Mapping[str, Callable[[], object]], rounds: int) -> None:
    for way in ways.values():
        way()

    exam, singly = measure(ways, rounds).values()
    print(f"| {cores} | {exam:.0f} ms | {singly:.0f} ms | {exam / singly:.2f} |", flush=True)
