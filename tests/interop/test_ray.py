"""Scoring on Ray: the same tables, also if an actor or the driver is killed."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import pyarrow as pa
import pytest

from benchmarks.load.peers.starts import install
from tests.support.archive_parts import read_tables, write_archive
from tests.support.paths import ROOT

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of 64 images, which are four parts."""
    return write_archive(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def whole(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, pa.Table]:
    """Tables of a scoring without Ray."""
    out = tmp_path_factory.mktemp("whole")
    assert begin(source, out, ray=False).wait() == 0
    return read_tables(out)


def begin(source: Path, out: Path, *, ray: bool = True) -> "subprocess.Popen[bytes]":
    command = ["score", "fake", str(source), "--out", str(out)]
    engine = ["--ray", "auto"] if ray else []
    python = install("engines")
    return subprocess.Popen([python, "-m", "service", *command, *engine], cwd=ROOT)


def finish(source: Path, out: Path) -> None:
    with begin(source, out) as process:
        assert process.wait(timeout=300) == 0


def wait_for_a_part(out: Path) -> None:
    deadline = time.monotonic() + 120
    while not [*out.glob("parts/*.parquet")]:
        assert time.monotonic() < deadline, "no part was written"
        time.sleep(0.01)


def kill_descendants(process: "subprocess.Popen[bytes]", name: str) -> None:
    """Kill the processes below a process whose title has the name."""
    below = psutil.Process(process.pid).children(recursive=True)
    named = [one for one in below if name in " ".join(one.cmdline())]
    assert named, f"no process is called {name}"
    for one in named:
        one.send_signal(signal.SIGKILL)


def test_ray_gives_the_tables_of_one_machine(
    source: Path, whole: Mapping[str, pa.Table], tmp_path: Path
) -> None:
    finish(source, tmp_path)

    assert read_tables(tmp_path) == whole


def test_killed_actor_is_replaced(
    source: Path, whole: Mapping[str, pa.Table], tmp_path: Path
) -> None:
    with begin(source, tmp_path) as process:
        wait_for_a_part(tmp_path)
        kill_descendants(process, "ray::MapWorker")
        code = process.wait(timeout=300)

    assert code == 0
    assert read_tables(tmp_path) == whole


def test_killed_driver_is_begun_again(
    source: Path, whole: Mapping[str, pa.Table], tmp_path: Path
) -> None:
    with begin(source, tmp_path) as process:
        wait_for_a_part(tmp_path)
        os.kill(process.pid, signal.SIGKILL)

    finish(source, tmp_path)

    assert read_tables(tmp_path) == whole
