import csv
import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

from service.imaging import decode, fit
from training.config import Experiment
from training.data import source_digests
from training.data.cache import open_part
from training.data.cache_shards import fit_folder
from training.data.prepare import prepare
from training.data.table import Record, load_records
from training.errors import CacheError, TableError

EditData = Callable[..., Experiment]


def rows(report: Path) -> list[tuple[str, str, str]]:
    with report.open(newline="") as file:
        return [(row["patient_id"], row["image_id"], row["error"]) for row in csv.DictReader(file)]


def test_cache_equals_model_input_of_the_service(experiment: Experiment) -> None:
    records = load_records(experiment)

    outcome = prepare(records, experiment, workers=2)

    assert (outcome.prepared, outcome.present, outcome.failures) == (6, 0, ())
    part = open_part(records, experiment)
    for index, record in enumerate(records):
        source = decode(record.image.read_bytes())
        expected = fit(source.pixels, experiment.fit.parameters())
        assert part.images([index])[0] == pytest.approx(expected.image, abs=0.501 / 4095)
        assert (part.mask(index) == expected.mask).all()
        assert astuple(part.to_source(index)) == astuple(expected.to_source)


@pytest.mark.usefixtures("in_process")
def test_prepared_images_are_not_prepared_again(experiment: Experiment) -> None:
    records = load_records(experiment)
    prepare(records[:4], experiment, workers=1)

    outcome = prepare(records, experiment, workers=1)

    assert (outcome.prepared, outcome.present) == (2, 4)


@pytest.mark.usefixtures("in_process")
def test_second_prepare_reads_no_image_file(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> str:
        raise AssertionError(path)

    records = load_records(experiment)
    prepare(records, experiment, workers=1)
    monkeypatch.setattr(source_digests, "_digest", refuse)

    assert prepare(records, experiment, workers=1).present == 6


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("memory", ["", '["/x", 1, 2, "ab"]\n[null]\n{"cut', None])
def test_lost_memory_of_digests_is_harmless(experiment: Experiment, memory: str | None) -> None:
    records = load_records(experiment)
    prepare(records, experiment, workers=1)

    path = experiment.data.cache / source_digests.SOURCES
    if memory is None:
        path.unlink()
    else:
        path.write_text(memory)

    assert prepare(records, experiment, workers=1).present == 6


@pytest.mark.usefixtures("in_process")
def test_moved_and_touched_images_stay_prepared(
    experiment: Experiment, edit_data: EditData, tmp_path: Path
) -> None:
    records = load_records(experiment)
    prepare(records, experiment, workers=1)

    moved = shutil.copytree(tmp_path / "images", tmp_path / "moved", copy_function=shutil.copy)
    shutil.rmtree(tmp_path / "images")
    elsewhere = edit_data(experiment, images=f"{moved}/{{patient_id}}_{{image_id}}.png")

    outcome = prepare(load_records(elsewhere), elsewhere, workers=1)

    assert (outcome.prepared, outcome.present) == (0, 6)


@pytest.mark.usefixtures("in_process")
def test_unusable_images_are_reported_and_left_out(experiment: Experiment) -> None:
    records = load_records(experiment)
    records[2].image.write_bytes(b"")
    truncated = records[5].image
    truncated.write_bytes(truncated.read_bytes()[:400])

    outcome = prepare(records, experiment, workers=1)

    assert (outcome.prepared, len(outcome.failures)) == (4, 2)
    assert rows(outcome.report) == [("p1", "1L", "EmptyImage"), ("p2", "2R", "CorruptImage")]
    assert str(truncated) in outcome.report.read_text()
    part = open_part(records, experiment)
    assert [record.image_id for record in part.records] == ["0L", "0R", "1R", "2L"]
    assert [record.image_id for record in part.dropped] == ["1L", "2R"]


@pytest.mark.usefixtures("in_process")
def test_known_failure_is_counted_not_repeated(experiment: Experiment) -> None:
    records = load_records(experiment)
    records[0].image.write_bytes(b"")
    prepare(records, experiment, workers=1)

    outcome = prepare(records, experiment, workers=1)

    assert (outcome.prepared, outcome.present, len(outcome.failures)) == (0, 5, 1)


@pytest.mark.usefixtures("in_process")
def test_failure_drops_no_image_of_its_name(experiment: Experiment, tmp_path: Path) -> None:
    records = [
        Record(
            f"p{index}",
            "L_CC",
            "L",
            "CC",
            cancer=index < 2,
            image=tmp_path / f"p{index}" / "L_CC.png",
        )
        for index in range(5)
    ]
    for index, record in enumerate(records):
        record.image.parent.mkdir()
        shutil.copy(tmp_path / "images" / f"p{index % 3}_{index % 3}L.png", record.image)
    records[3].image.write_bytes(b"")

    prepare(records, experiment, workers=1)

    part = open_part(records, experiment)
    assert [record.patient_id for record in part.records] == ["p0", "p1", "p2", "p4"]
    assert [record.patient_id for record in part.dropped] == ["p3"]


@pytest.mark.usefixtures("in_process")
def test_experiments_keep_each_other_s_failures(experiment: Experiment) -> None:
    records = load_records(experiment)
    records[1].image.write_bytes(b"")
    prepare(records[:3], experiment, workers=1)

    other = prepare(records[3:], experiment, workers=1)

    assert other.failures == ()
    assert rows(other.report) == [("p0", "0R", "EmptyImage")]
    assert len(open_part(records[:3], experiment)) == 2


@pytest.mark.usefixtures("in_process")
def test_changed_image_is_refused_unless_replaced(experiment: Experiment) -> None:
    records = load_records(experiment)
    prepare(records, experiment, workers=1)
    before = open_part(records, experiment)
    shutil.copy(records[0].image, records[2].image)

    with pytest.raises(CacheError, match=r"1 images .*p1/1L .*p1_1L\.png.*--replace"):
        prepare(records, experiment, workers=1)
    outcome = prepare(records, experiment, workers=1, replace=True)

    after = open_part(records, experiment)
    assert (outcome.prepared, outcome.present) == (1, 5)
    assert np.array_equal(after.images([2]), before.images([0]))
    assert after.digest != before.digest


@pytest.mark.usefixtures("in_process")
def test_failed_image_with_another_file_is_tried_again(experiment: Experiment) -> None:
    records = load_records(experiment)
    path = records[0].image
    whole = path.read_bytes()
    path.write_bytes(whole[:400])
    prepare(records, experiment, workers=1)
    path.write_bytes(whole)

    outcome = prepare(records, experiment, workers=1)

    assert (outcome.prepared, outcome.present, outcome.failures) == (1, 5, ())
    assert len(open_part(records, experiment)) == 6


@pytest.mark.usefixtures("in_process")
def test_full_disk_is_told_and_survived(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    records = load_records(experiment)
    prepare(records[:2], experiment, workers=1)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(CacheError, match=r"cache.* \(No space left on device, .*B free\)"):
            prepare(records, experiment, workers=1)

    assert not list(experiment.data.cache.rglob("*.partial"))
    outcome = prepare(records, experiment, workers=1)
    assert (outcome.prepared, outcome.present) == (4, 2)


def test_missing_files_are_named_before_decoding(
    experiment: Experiment, edit_data: EditData, tmp_path: Path
) -> None:
    absent = edit_data(experiment, images=f"{tmp_path}/{{patient_id}}_{{image_id}}.dcm")

    with pytest.raises(TableError, match=r"p0_0L\.dcm"):
        prepare(load_records(absent), absent, 1)


@pytest.mark.usefixtures("in_process")
def test_data_set_without_usable_image_is_rejected(experiment: Experiment, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"not an image")
    record = Record("p", "x", "L", "CC", cancer=False, image=tmp_path / "x.png")

    with pytest.raises(CacheError, match=r"failures\.csv"):
        prepare([record], experiment, 1)


@pytest.mark.usefixtures("in_process")
def test_summary_tells_counts_and_size(experiment: Experiment) -> None:
    outcome = prepare(load_records(experiment), experiment, workers=1)

    folder = fit_folder(experiment)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert outcome.summary.splitlines() == [
        "6 images prepared, 0 already in the cache, 0 unusable",
        f"{folder}: {size / 1e6:.1f} MB",
    ]
