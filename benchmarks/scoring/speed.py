"""Speed of a plain loop, of `mammolens score`, and of it on Ray, on the same images."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.load.peers.starts import install
from benchmarks.load.servers import ROOT


def main(arguments: Sequence[str]) -> int:
    """Print a table of the seconds of each way, in turn."""
    options = _parser().parse_args(arguments)
    ways = _ways(options)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    files = [path for path in options.images.rglob("*") if path.is_file()]
    count = sum(path.suffix == ".dcm" for path in files)
    if count < len(files):
        sys.exit(f"{options.images} has files that are no DICOM, which the loop would not read")
    sys.stdout.write(f"{count} images, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}\n\n")

    for number in range(options.repeats):
        # A machine that slows down during a repeat would always slow down the same way.
        order = list(ways)[:: 1 if number % 2 else -1]
        for name in order:
            seconds[name].append(_time(ways[name]))

    loop = statistics.median(seconds["loop"])
    sys.stdout.write("| way | seconds | images/s | to the loop |\n|---|---|---|---|\n")
    for name, times in seconds.items():
        median = statistics.median(times)
        row = [name, f"{median:.1f}", f"{count / median:.1f}", f"{loop / median:.2f}"]
        sys.stdout.write(f"| {' | '.join(row)} |\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.scoring speed")
    parser.add_argument("--images", type=Path, required=True, help="folder of DICOM files")
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "demo")
    parser.add_argument("--ray", action="store_true", help="also measure it on Ray")
    parser.add_argument("--repeats", type=int, default=3)
    return parser


def _ways(options: argparse.Namespace) -> Mapping[str, Sequence[str]]:
    """Return the command of each way. `OUT` stands for a new folder."""
    files = (str(options.model), str(options.images))
    score = ("-m", "service", "score", *files, "--out", "OUT")
    ways: dict[str, Sequence[str]] = {
        "loop": (sys.executable, "-m", "benchmarks.scoring.plain_loop", *files),
        "score": (sys.executable, *score),
    }
    if options.ray:
        ways["score on Ray"] = (str(install("engines")), *score, "--ray", "auto")
    return ways


def _time(command: Sequence[str]) -> float:
    """Return the seconds of a command."""
    with tempfile.TemporaryDirectory() as out:
        words = [str(Path(out) / "scored") if word == "OUT" else word for word in command]
        start = time.perf_counter()
        subprocess.run(words, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - fixed
        return time.perf_counter() - start
