"""Kill scorings at drawn moments, go on with them, and compare the tables at the end."""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyarrow as pa
from pyarrow import parquet

from benchmarks.load.peers.starts import install
from benchmarks.load.servers import ROOT

_ON_RAY = ("driver", "actor", "raylet")
_TITLES = {"actor": "ray::MapWorker", "raylet": "raylet/raylet"}
_POLL = 0.05
_SHARES = (0.02, 0.15)
"""Shares of the time of the work on all images, after a start, when a process is killed."""
_PATIENCE = 60.0
"""Seconds to wait for a process that is to be killed."""


@dataclass(frozen=True, slots=True)
class _Pace:
    """Seconds from the start to the first part, and from there to the end."""

    start: float
    work: float


def main(arguments: Sequence[str]) -> int:
    """Print every kill, and whether the tables are equal. Return 1 if they are not."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pace = _measure(options, folder)
        whole = _tables(folder / "whole")

        equal = []
        for victim in options.victims if options.ray else ("driver",):
            out = folder / victim
            _kill_often(options, out, victim, pace)
            _finish(options, out, on_ray=options.ray)
            equal.append(_tables(out) == whole)
            sys.stdout.write(f"{victim}: tables are {'equal' if equal[-1] else 'DIFFERENT'}\n\n")
    return 0 if all(equal) else 1


def _measure(options: argparse.Namespace, folder: Path) -> _Pace:
    """Score without a kill, to `whole`, and return the seconds of a start and of the work.

    A start ends when the first part is written.
    """
    out = folder / "whole"
    start = time.monotonic()
    process = _begin(options, out, on_ray=options.ray)
    while process.poll() is None and not [*out.glob("parts/*.parquet")]:
        time.sleep(_POLL)
    begun = time.monotonic()

    if process.wait():
        sys.exit(f"the scoring ended with {process.returncode}")
    return _Pace(begun - start, time.monotonic() - begun)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.scoring kills")
    parser.add_argument("--images", type=Path, required=True, help="folder of DICOM files")
    parser.add_argument("--model", default="fake")
    parser.add_argument("--kills", type=int, default=10, help="kills of each process")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments")
    parser.add_argument("--ray", action="store_true", help="score on Ray")
    parser.add_argument(
        "--victims", nargs="+", choices=_ON_RAY, default=_ON_RAY, help="on Ray; default: each"
    )
    return parser


def _begin(options: argparse.Namespace, out: Path, *, on_ray: bool) -> "subprocess.Popen[bytes]":
    command = ("-m", "service", "score", str(options.model), str(options.images), "--out", str(out))
    engine = ("--ray", "auto") if on_ray else ()
    python = install("engines") if on_ray else sys.executable
    return subprocess.Popen(  # noqa: S603 - fixed arguments
        [python, *command, *engine],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _finish(options: argparse.Namespace, out: Path, *, on_ray: bool) -> None:
    """Score to the end."""
    process = _begin(options, out, on_ray=on_ray)
    if process.wait():
        sys.exit(f"the scoring of {out} ended with {process.returncode}")


def _kill_often(options: argparse.Namespace, out: Path, victim: str, pace: _Pace) -> None:
    """Kill a process of the scoring so often, each time at a drawn moment of its work.

    The scoring is begun again where it has ended. A killed actor is replaced within a scoring.
    """
    rng = random.Random(f"{options.seed} {victim}")  # noqa: S311 - moments of kills
    process = _begin(options, out, on_ray=options.ray)
    wait = pace.start
    for number in range(options.kills):
        if process.poll() is not None:
            process = _begin(options, out, on_ray=options.ray)
            wait = pace.start
        _sleep(process, wait + pace.work * rng.uniform(*_SHARES))
        wait = 0.0

        killed = _kill(process, victim)
        if victim == "raylet":
            process.wait()  # Ray notices it after some seconds, and then the scoring ends
        parts = len([*out.glob("parts/*.parquet")])
        sys.stdout.write(f"kill {number + 1} of the {victim}: {killed}, {parts} parts are done\n")
        sys.stdout.flush()
    process.kill()
    process.wait()


def _sleep(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Wait so long, or until the scoring ends."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        time.sleep(_POLL)


def _kill(process: "subprocess.Popen[bytes]", victim: str) -> str:
    """Kill a process of the scoring. Return what became of it."""
    if process.poll() is not None:
        return "had ended"
    if victim == "driver":
        process.kill()
        process.wait()
        return "killed"

    end = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < end:
        if _kill_below(process.pid, _TITLES[victim]):
            return "killed"
        time.sleep(_POLL)
    return "had ended"


def _kill_below(pid: int, title: str) -> bool:
    """Kill the first process below that one with this title. Return whether there was one."""
    for one in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            if title in " ".join(one.cmdline()):
                one.kill()
                return True
    return False


def _tables(out: Path) -> Mapping[str, pa.Table]:
    return {path.stem: parquet.read_table(path) for path in out.glob("*.parquet")}
