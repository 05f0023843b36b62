import json
import shutil
from pathlib import Path

import pytest

from training.config import Experiment
from training.data.cache import open_part
from training.data.cache_prune import prune
from training.data.cache_shards import FIT_FILE, fit_folder
from training.data.prepare import prepare
from training.data.table import load_records

pytestmark = pytest.mark.usefixtures("in_process")


def write(path: Path, size: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(size))
    return path


def files(cache: Path) -> set[Path]:
    return {path for path in cache.rglob("*") if path.is_file()}


def test_files_that_are_read_are_kept(experiment: Experiment) -> None:
    records = load_records(experiment)
    prepare(records, experiment, workers=1)
    wider = experiment.model_copy(
        update={"fit": experiment.fit.model_copy(update={"margin": 0.05})}
    )
    prepare(records, wider, workers=1)
    write(experiment.data.cache / "notes.txt", 5)
    write(experiment.data.cache / "mine" / "a.npz", 5)
    before = files(experiment.data.cache)

    pruned = prune(experiment.data.cache)

    assert (pruned.files, pruned.size) == (0, 0)
    assert files(experiment.data.cache) == before


def test_unread_files_are_removed_and_counted(experiment: Experiment) -> None:
    cache = experiment.data.cache
    prepare(load_records(experiment), experiment, workers=1)
    read = files(cache)
    folder = fit_folder(experiment)
    sizes = {
        cache / "p0_0L.0123456789abcdef.npz": 100,
        cache / "p0_0R.0123456789abcdef.partial": 20,
        cache / "failures.csv": 3,
        folder / "ab.partial": 4000,
        folder / "000009-0123456789ab.bin": 50_000,
    }
    for path, size in sizes.items():
        write(path, size)

    pruned = prune(cache)

    assert (pruned.files, pruned.size) == (5, 54_123)
    assert pruned.summary == "5 files removed from the cache, 0.1 MB"
    assert files(cache) == read


def test_folders_of_earlier_versions_are_removed(experiment: Experiment) -> None:
    cache = experiment.data.cache
    prepare(load_records(experiment), experiment, workers=1)
    present = fit_folder(experiment)
    facts = json.loads((present / FIT_FILE).read_text())
    versions = {"0": -1, "1": 0, "2": 1}
    for digit, change in versions.items():
        folder = Path(shutil.copytree(present, cache / f"48x36-{digit * 8}"))
        changed = {**facts, "imaging_version": facts["imaging_version"] + change}
        (folder / FIT_FILE).write_text(json.dumps(changed))

    prune(cache)

    kept = {path.name for path in cache.iterdir() if path.is_dir()}
    assert kept == {present.name, "48x36-11111111", "48x36-22222222"}


def test_replaced_shard_is_removed(experiment: Experiment) -> None:
    records = load_records(experiment)
    prepare(records[:2], experiment, workers=1)
    old = open_part(records[:2], experiment).entries[0].path
    prepare(records, experiment, workers=1)
    for record in records[:2]:
        with record.image.open("ab") as file:
            file.write(b"\0")
    prepare(records, experiment, workers=1, replace=True)

    pruned = prune(experiment.data.cache)

    assert pruned.files == 2
    assert not old.exists()
    assert len(open_part(records, experiment)) == 6
