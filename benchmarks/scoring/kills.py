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
            outs = _kill_often(options, folder / victim, victim, pace)
            _finish(options, outs[-1], on_ray=options.ray)
            same = [_tables(out) == whole for out in outs]
            sys.stdout.write(f"{victim}: tables of {sum(same)} of {len(same)} are equal\n\n")
            equal += same
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


def _kill_often(
    options: argparse.Namespace, folder: Path, victim: str, pace: _Pace
) -> Sequence[Path]:
    """Kill a process of scorings so often, each time at a drawn moment of its work.

    A scoring that was killed is begun again. A killed actor is replaced within a scoring. After one
    that is complete, another one is begun. Returns the folders of the scorings.
    """
    rng = random.Random(f"{options.seed} {victim}")  # noqa: S311 - moments of kills
    outs = [folder / "1"]
    process = _begin(options, outs[-1], on_ray=options.ray)
    wait = pace.start
    kills = 0
    while kills < options.kills:
        if process.poll() is not None:
            if process.returncode == 0:
                outs.append(folder / str(len(outs) + 1))
            process = _begin(options, outs[-1], on_ray=options.ray)
            wait = pace.start
        _sleep(process, wait + pace.work * rng.uniform(*_SHARES))
        wait = 0.0

        if not _kill(process, victim):
            continue
        kills += 1
        if victim == "raylet":
            process.wait()  # Ray notices it after some seconds, and then the scoring ends
        parts = len([*outs[-1].glob("parts/*.parquet")])
        sys.stdout.write(f"kill {kills} of the {victim}, scoring {len(outs)}: {parts} parts done\n")
        sys.stdout.flush()

    process.kill()
    process.wait()
    return outs


def _sleep(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Wait so long, or until the scoring ends."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        time.sleep(_POLL)


def _kill(process: "subprocess.Popen[bytes]", victim: str) -> bool:
    """Kill a process of the scoring. Return whether there was one."""
    if process.poll() is not None:
        return False
    if victim == "driver":
        process.kill()
        process.wait()
        return True

    end = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < end:
        if _kill_below(process.pid, _TITLES[victim]):
            return True
        time.sleep(_POLL)
    return False


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
