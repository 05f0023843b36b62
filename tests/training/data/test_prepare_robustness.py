"""Prepare and a cache that were interrupted, killed or damaged."""

import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from service.records import FitParameters
from tests.support.paths import ROOT
from training.config import Experiment
from training.data import prepare as preparation
from training.data import prepare_workers
from training.data.cache import open_part
from training.data.cache_shards import fit_folder
from training.data.prepare import prepare
from training.data.prepare_workers import KILLED, ImageJob, Outcome, outcomes, prepare_image
from training.data.table import load_records
from training.errors import CacheError

KILL_AFTER_FIRST_SHARD = """\
import multiprocessing, os, signal, sys
from training.data import prepare as preparation
from training.data.shard_writer import write_shard
from training.commands import main

def write_or_die(folder, outcomes):
    return write_shard(folder, dying(outcomes) if any(folder.glob("0*.csv")) else outcomes)

def dying(outcomes):
    yield next(outcomes)
    print(*[child.pid for child in multiprocessing.active_children()], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    preparation.SHARD_IMAGES = 2
    preparation.write_shard = write_or_die
    main(["prepare", sys.argv[1], "--workers", "2"])
"""

DEADLY = ("p1", "1L")
DEADLY_MODULE = """\
import os, signal
from training.data.prepare_workers import prepare_image

def prepare_or_die(job):
    if job.key == ("p1", "1L"):
        os.kill(os.getpid(), signal.SIGKILL)
    return prepare_image(job)
"""


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_killed_worker_costs_one_image(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A worker process is killed at an image, as the system does when memory runs out."""
    records = load_records(experiment)
    (tmp_path / "deadly_preparation.py").write_text(DEADLY_MODULE)
    monkeypatch.syspath_prepend(tmp_path)

    with monkeypatch.context() as patch:
        deadly = importlib.import_module("deadly_preparation")
        patch.setattr(prepare_workers, "prepare_image", deadly.prepare_or_die)
        outcome = prepare(records, experiment, workers=2)

    assert outcome.prepared == 5
    assert [(row.key, row.error) for row in outcome.failures] == [(DEADLY, KILLED)]
    assert "p1_1L.png" in outcome.failures[0].message
    assert len(open_part(records, experiment)) == 5

    again = prepare(records, experiment, workers=1)
    assert (again.prepared, again.present, again.failures) == (1, 5, ())


def test_unreadable_file_is_tried_again(tmp_path: Path) -> None:
    outcome = prepare_image(ImageJob(("p", "x"), tmp_path / "gone.png", FitParameters(48, 36)))

    assert (outcome.error, outcome.sha256, outcome.blob) == ("FileNotFoundError", "", b"")
    assert f"{tmp_path}/gone.png" in outcome.message


def test_worker_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare_workers, "_begin_worker", partial(os._exit, 1))
    job = ImageJob(("p", "x"), Path("x.png"), FitParameters(48, 36))

    with pytest.raises(CacheError, match="Worker processes end at once"):
        next(outcomes([job], 1))


@pytest.mark.usefixtures("in_process")
def test_kill_9_goes_on_to_the_same_files(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "kill.py"
    script.write_text(KILL_AFTER_FIRST_SHARD)
    finished = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "toy.toml")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == -signal.SIGKILL
    orphans = [int(pid) for pid in finished.stdout.split()]
    folder = fit_folder(experiment)
    assert list(folder.glob("*.partial"))

    monkeypatch.setattr(preparation, "SHARD_IMAGES", 2)
    outcome = prepare(load_records(experiment), experiment, workers=1)
    for unfinished in folder.glob("*.partial"):
        unfinished.unlink()
    interrupted = files(folder)
    shutil.rmtree(experiment.data.cache)
    prepare(load_records(experiment), experiment, workers=1)

    assert (outcome.prepared, outcome.present) == (4, 2)
    assert interrupted == files(folder)
    assert orphans
    assert all(ends(pid) for pid in orphans)


def ends(pid: int) -> bool:
    """Wait until a process has ended."""
    for _ in range(100):
        status = Path(f"/proc/{pid}/status")
        if not status.exists() or "State:\tZ" in status.read_text():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.usefixtures("in_process")
def test_interrupted_shard_is_not_taken_for_whole(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(jobs: Sequence[ImageJob], _: int) -> Iterator[Outcome]:
        yield from (prepare_image(job) for job in islice(jobs, 3))
        raise KeyboardInterrupt

    records = load_records(experiment)
    with monkeypatch.context() as patch:
        patch.setattr(preparation, "outcomes", interrupted)
        with pytest.raises(KeyboardInterrupt):
            prepare(records, experiment, workers=1)

    with pytest.raises(CacheError, match=r"6 images are not prepared.*p0/0L"):
        open_part(records, experiment)


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("suffix", [".bin", ".csv"])
def test_truncated_file_is_named_and_made_again(experiment: Experiment, suffix: str) -> None:
    records = load_records(experiment)
    prepare(records, experiment, workers=1)
    whole = files(fit_folder(experiment))
    (damaged,) = fit_folder(experiment).glob(f"0*{suffix}")
    damaged.write_bytes(damaged.read_bytes()[:-1])

    with pytest.raises(CacheError, match=rf"{damaged} is damaged.*training prepare"):
        open_part(records, experiment)
    outcome = prepare(records, experiment, workers=1)

    assert outcome.damaged == (damaged,)
    assert f"{damaged} was damaged" in outcome.summary
    assert files(fit_folder(experiment)) == whole


@pytest.mark.usefixtures("in_process")
def test_changed_byte_is_named_and_repaired(experiment: Experiment) -> None:
    records = load_records(experiment)
    prepare(records, experiment, workers=1)
    part = open_part(records, experiment)
    before = part.images(range(6))
    entry = part.entries[4]
    with entry.path.open("r+b") as file:
        file.seek(entry.row.offset + entry.row.length // 2)
        file.write(bytes([file.read(1)[0] ^ 1]))
        file.seek(entry.row.offset + entry.row.length // 2)

    with pytest.raises(CacheError, match=rf"{entry.path} is damaged.*training prepare"):
        part.images([4])
    assert prepare(records, experiment, workers=1).damaged == (entry.path,)

    assert np.array_equal(open_part(records, experiment).images(range(6)), before)


@pytest.mark.usefixtures("in_process")
def test_lost_shard_is_named(experiment: Experiment) -> None:
    records = load_records(experiment)
    prepare(records, experiment, workers=1)
    part = open_part(records, experiment)
    part.entries[0].path.unlink()

    with pytest.raises(CacheError, match=rf"{part.entries[0].path} cannot be read"):
        part.images([0])
    with pytest.raises(CacheError, match=rf"{part.entries[0].path} is damaged"):
        open_part(records, experiment)
