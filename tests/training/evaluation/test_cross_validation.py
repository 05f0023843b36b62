"""Cross-validation as a command: three rounds, their pooled figures, and the ensemble."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from service.model import Bundle, Level
from tests.support.paths import ROOT
from training.config_files import load_experiment
from training.data.cache import Part, open_part
from training.data.prepare import prepare
from training.data.table import load_records
from training.errors import ConfigError, RunError
from training.evaluation.cross_validation import cross_validate, pool
from training.evaluation.statistics import Values
from training.export.publish import export_run
from training.fit.run import Run, read_json, write_json
from training.introspection.own_model import read_choice
from training.networks.cnn import logits_model

FOLDS = ("0", "1", "2")
POOLED = ("evaluation.json", "operating_point.json", "predictions-image.csv", "provenance.json")


@pytest.fixture(scope="module")
def toml(write_experiment: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy experiment in three drawn folds, for women with 2 % of cancers."""
    root = tmp_path_factory.mktemp("cross")
    parts = 'by = "patient"\nvalidation = 0.25\ntest = 0.25'
    masks = next(
        line
        for line in write_experiment(root / "whole.toml").read_text().splitlines()
        if line.startswith("lesion_masks")
    )
    path = write_experiment(
        root / "toy.toml",
        (parts, 'by = "cross-validation"\nfolds = 3'),
        (f"{masks}\n", ""),
        ("[bundle]", "[bundle]\ndeployment_prevalence = 0.02"),
    )
    experiment = load_experiment(path)
    prepare(load_records(experiment), experiment, workers=2)
    return path


def command(toml: Path, run: Run) -> list[str]:
    return [
        sys.executable,
        *("-m", "training", "cross-validate", str(toml)),
        *("--run", str(run.directory)),
    ]


def environment() -> dict[str, str]:
    """Return the variables of a shell.

    A bundle that is loaded in this process sets others. Their number of threads changes last bits.
    """
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("TF_", "OMP_"))
    }


def cross_validate_in(run: Run, toml: Path) -> None:
    subprocess.run(command(toml, run), cwd=ROOT, env=environment(), check=True, capture_output=True)


@pytest.fixture(scope="module")
def run(toml: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An uninterrupted cross-validation."""
    run = Run(tmp_path_factory.mktemp("runs") / "whole")
    cross_validate_in(run, toml)
    return run


@pytest.fixture(scope="module")
def images(toml: Path) -> Part:
    """The first images of the table."""
    experiment = load_experiment(toml)
    return open_part(load_records(experiment)[:6], experiment)


def margins_of(run: Run, part: Part) -> Values:
    network = keras.saving.load_model(run.best_model, compile=False)
    logits = logits_model(network).predict_on_batch(part.images(range(len(part))))
    return np.asarray(logits[:, 1].astype(np.float64) - logits[:, 0])


def rows_of(run: Run) -> list[dict[str, str]]:
    with run.predictions(Level.IMAGE).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.interop
def test_every_image_is_predicted_once(run: Run, toml: Path) -> None:
    keys = [(row["patient_id"], row["image_id"]) for row in rows_of(run)]

    records = load_records(load_experiment(toml))
    assert sorted(keys) == sorted(record.key for record in records)
    tested = [row["patient_id"] for fold in FOLDS for row in rows_of(run.round(fold))]
    assert tested == [patient for patient, _ in keys]


@pytest.mark.interop
def test_pooled_figures_follow_from_all_predictions(run: Run) -> None:
    document = read_json(run.evaluation)
    rows = rows_of(run)

    labels = np.array([int(row["cancer"]) for row in rows])
    probabilities = [float(row["probability"]) for row in rows]
    positive = np.array([int(row["positive"]) for row in rows])
    assert document["test"] == {"patients": 40, "images": 80, "prevalence": 0.25}
    assert document["images"]["auc"]["value"] == pytest.approx(roc_auc_score(labels, probabilities))
    assert document["images"]["at_threshold"]["sensitivity"] == pytest.approx(
        positive[labels == 1].mean()
    )


@pytest.mark.interop
def test_thresholds_of_each_round_decide_its_fold(run: Run) -> None:
    """A round's threshold was chosen without the images that it decides about."""
    positive = {
        (row["patient_id"], row["image_id"]): row["positive"] == "1" for row in rows_of(run)
    }

    for fold in FOLDS:
        one = run.round(fold)
        threshold = read_choice(one.operating_point).levels.image.threshold
        for row in rows_of(one):
            decision = positive[row["patient_id"], row["image_id"]]
            assert decision == (float(row["probability"]) >= threshold)


@pytest.mark.interop
def test_ensemble_is_the_mean_of_calibrated_margins(run: Run, images: Part) -> None:
    members = []
    for fold in FOLDS:
        choice = read_choice(run.round(fold).operating_point)
        margin = margins_of(run.round(fold), images) / choice.temperature + choice.offset
        members.append(margin - logit(0.02))
        assert choice.deployment_prevalence == 0.02

    assert margins_of(run, images) == pytest.approx(np.mean(members, axis=0), abs=1e-3)
    assert np.ptp(members, axis=0).max() > 0.1


@pytest.mark.interop
def test_bundle_answers_as_the_ensemble(run: Run, images: Part, tmp_path: Path) -> None:
    bundle = Bundle.load(
        export_run(run, tmp_path / "toy" / "1", overwrite=False, require_scorecard=False)
    )

    choice = read_choice(run.operating_point)
    expected = expit(margins_of(run, images) / choice.temperature + choice.offset)
    probabilities = bundle.predict(images.images(range(len(images)))).probabilities[:, 1]
    assert probabilities == pytest.approx(expected, abs=1e-5)

    manifest = bundle.manifest
    assert manifest.temperature == 1
    assert manifest.offset == pytest.approx(logit(0.02))
    assert manifest.deployment_prevalence == 0.02
    assert manifest.levels == choice.levels
    assert manifest.provenance is not None
    assert manifest.provenance.patients == {"cross-validation": 40}


@pytest.mark.interop
def test_killed_cross_validation_ends_with_the_same_files(
    run: Run, toml: Path, tmp_path: Path
) -> None:
    """The first round is killed after its first epoch. The others are done."""
    again = Run(tmp_path / "again")
    shutil.copytree(run.directory, again.directory)
    first = again.round("0")
    for path in [*again.directory.glob("*.*"), *first.directory.glob("*")]:
        if path.name not in ("experiment.toml", "code.sha256") and not path.is_dir():
            path.unlink()

    with subprocess.Popen(
        command(toml, again),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 120
        while not first.history.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)

    assert process.returncode == -signal.SIGKILL
    assert not first.evaluation.exists()
    assert not again.evaluation.exists()

    cross_validate_in(again, toml)

    assert again.evaluation.read_bytes() == run.evaluation.read_bytes()
    assert rows_of(again) == rows_of(run)
    assert read_choice(again.operating_point) == read_choice(run.operating_point)


@pytest.mark.interop
def test_rounds_of_different_tables_are_not_pooled(run: Run, toml: Path, tmp_path: Path) -> None:
    again = Run(tmp_path / "again")
    shutil.copytree(run.directory, again.directory)
    provenance = again.round("1").provenance
    facts = read_json(provenance)
    facts["data"]["tables"]["table"] = "0" * 64
    write_json(provenance, facts)

    with pytest.raises(RunError, match=r"began with different tables: begin another run"):
        pool(again, load_experiment(toml), {fold: again.round(fold) for fold in FOLDS})


def test_other_splits_are_no_cross_validation(
    write_experiment: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match='set `by = "cross-validation"`'):
        cross_validate(Run(tmp_path / "run"), write_experiment(tmp_path / "toy.toml"))


def test_rounds_get_the_number_of_workers(
    toml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    def refused(arguments: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        started.append(arguments)
        return subprocess.CompletedProcess(arguments, 2)

    monkeypatch.setattr(subprocess, "run", refused)

    with pytest.raises(RunError, match="failed"):
        cross_validate(Run(tmp_path / "run"), toml, workers=3)

    assert started[-1][-2:] == ["--workers", "3"]
