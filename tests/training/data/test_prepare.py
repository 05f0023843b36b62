import csv
import shutil
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

import service
from service.imaging import decode, fit
from training.config import Experiment
from training.config_files import load_experiment
from training.data.cache import imaging_digest, open_part
from training.data.prepare import prepare
from training.data.table import Record, load_records
from training.errors import CacheError, TableError


@pytest.fixture
def experiment(write_experiment: Callable[..., Path], toy_root: Path, tmp_path: Path) -> Experiment:
    """The toy experiment on its first three patients, with an empty cache."""
    cache = (f'cache = "{toy_root}/cache"', f'cache = "{tmp_path}/cache"')
    patients = ("[split]", '[filter]\npatient_ids = ["p0", "p1", "p2"]\n[split]')
    return load_experiment(write_experiment(tmp_path / "toy.toml", cache, patients))


def with_images(experiment: Experiment, template: str) -> Experiment:
    return experiment.model_copy(
        update={"data": experiment.data.model_copy(update={"images": template})}
    )


def test_cache_equals_model_input_of_the_service(experiment: Experiment) -> None:
    records = load_records(experiment)

    outcome = prepare(records, experiment, workers=2)

    assert outcome.prepared == 6
    part = open_part(records, experiment)
    for index, record in enumerate(records):
        source = decode(record.image.read_bytes())
        expected = fit(source.pixels, experiment.fit.parameters())
        assert part.images([index])[0] == pytest.approx(expected.image, abs=1 / 65535)
        assert astuple(part.to_source(index)) == astuple(expected.to_source)


def test_cached_images_are_not_prepared_again(experiment: Experiment) -> None:
    records = load_records(experiment)
    prepare(records, experiment, workers=1)
    open_part(records, experiment).paths[2].unlink()

    outcome = prepare(records, experiment, workers=1)

    assert (outcome.prepared, outcome.present) == (1, 5)


def test_interrupted_write_leaves_no_image(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(file: object, **_: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    records = load_records(experiment)[:1]
    # Runs the worker's function in this process.
    from training.data import prepare as preparation  # noqa: PLC0415

    with monkeypatch.context() as patch:
        patch.setattr(
            preparation, "_run", lambda jobs, _: [preparation._prepare_image(job) for job in jobs]
        )
        with pytest.raises(KeyboardInterrupt):
            prepare(records, experiment, workers=1)

    with pytest.raises(CacheError):
        open_part(records, experiment)


def test_unusable_images_are_reported_and_left_out(
    experiment: Experiment, toy_root: Path, tmp_path: Path
) -> None:
    records = load_records(experiment)
    for record in records:
        name = f"{record.patient_id}_{record.image_id}.png"
        (tmp_path / name).write_bytes((toy_root / "images" / name).read_bytes())

    # One empty and one truncated file.
    (tmp_path / "p1_1L.png").write_bytes(b"")
    (tmp_path / "p2_2R.png").write_bytes((tmp_path / "p2_2R.png").read_bytes()[:400])
    experiment = with_images(experiment, f"{tmp_path}/{{patient_id}}_{{image_id}}.png")
    records = load_records(experiment)

    outcome = prepare(records, experiment, workers=1)

    with outcome.report.open(newline="") as file:
        assert [(row["image_id"], row["error"]) for row in csv.DictReader(file)] == [
            ("1L", "EmptyImage"),
            ("2R", "CorruptImage"),
        ]
    assert [record.image_id for record in open_part(records, experiment).records] == [
        "0L",
        "0R",
        "1R",
        "2L",
    ]


def test_images_of_another_fit_are_not_used(experiment: Experiment) -> None:
    records = load_records(experiment)
    prepare(records, experiment, workers=1)
    wider = experiment.model_copy(
        update={"fit": experiment.fit.model_copy(update={"margin": 0.05})}
    )

    with pytest.raises(CacheError, match=r"0L.*training prepare"):
        open_part(records, wider)


def test_missing_files_are_named_before_decoding(experiment: Experiment, tmp_path: Path) -> None:
    elsewhere = with_images(experiment, f"{tmp_path}/{{patient_id}}_{{image_id}}.dcm")
    records = load_records(elsewhere)

    with pytest.raises(TableError, match=r"p0_0L\.dcm"):
        prepare(records, elsewhere, 1)


def test_data_set_without_usable_image_is_rejected(experiment: Experiment, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"not an image")
    record = Record("p", "x", "L", "CC", cancer=False, image=tmp_path / "x.png")

    with pytest.raises(CacheError, match=r"failures\.csv"):
        prepare([record], experiment, 1)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the service's sources that a test may change."""
    return shutil.copytree(
        Path(service.__file__).parent, tmp_path / "service", ignore=shutil.ignore_patterns("*.pyc")
    )


@pytest.mark.parametrize("source", ["geometry.py", "imaging/fitting.py", "imaging/new/decoder.py"])
def test_changed_source_changes_the_digest(package: Path, source: str) -> None:
    before = imaging_digest(package, {})

    changed = package / source
    changed.parent.mkdir(exist_ok=True)
    with changed.open("a") as file:
        file.write("\n# changed\n")

    after = imaging_digest(package, {})

    assert after != before


def test_updated_decoding_library_changes_the_digest(package: Path) -> None:
    before = imaging_digest(package, {"pillow": "12.0"})

    after = imaging_digest(package, {"pillow": "12.1"})

    assert after != before


def test_unrelated_source_keeps_the_digest(package: Path) -> None:
    before = imaging_digest(package, {})

    (package / "api" / "upload.py").unlink()

    after = imaging_digest(package, {})

    assert after == before
