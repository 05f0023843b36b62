"""Commands of training on the JAX backend of Keras, in processes of their own."""

import csv
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.load.peers.starts import install
from service.model import Bundle, Level
from tests.support.paths import ROOT
from training.config_files import load_experiment
from training.data.prepare import prepare
from training.data.table import load_records
from training.export.publish import export_run
from training.fit.run import Run, read_json
from training.fit.start import open_data

pytestmark = pytest.mark.interop

# All commands in one process: imports take longer than the toy experiment does.
PROGRAM = """\
import sys
from training.commands import main
for command in " ".join(sys.argv[1:]).split(" then "):
    code = main(command.split())
    if code:
        sys.exit(code)
"""


@pytest.fixture(scope="module")
def toml(write_experiment: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the toy experiment, and prepare its images."""
    directory = tmp_path_factory.mktemp("backends")
    path = write_experiment(directory / "toy.toml", ("epochs = 4", "epochs = 1\nema = 0.5"))
    experiment = load_experiment(path)
    prepare(load_records(experiment), experiment, workers=2)
    return path


@pytest.fixture(scope="module")
def run(toml: Path) -> Run:
    """Return a run that was trained, evaluated and scored with JAX."""
    directory = toml.parent / "runs" / "toy"

    with_jax(
        f"train {toml} --run {directory} then evaluate {directory} "
        f"then scorecard {directory} --effort quick"
    )

    return Run(directory)


def with_jax(commands: str) -> None:
    """Run commands of training with JAX on the CPU, one after another."""
    finished = subprocess.run(
        [install("engines"), "-c", PROGRAM, commands],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr


def test_bundle_answers_as_network_of_jax_did(run: Run, tmp_path: Path) -> None:
    """TensorFlow exports the run. Its predictions were measured with JAX."""
    experiment = run.experiment()
    part = open_data(run, experiment).test
    with run.predictions(Level.IMAGE).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    path = export_run(run, tmp_path / "toy" / "1", overwrite=False, require_scorecard=False)

    scores = Bundle.load(path).predict(part.images(np.arange(len(part))))
    assert [row["image_id"] for row in rows] == [record.image_id for record in part.records]
    measured = np.array([float(row["probability"]) for row in rows])
    np.testing.assert_allclose(scores.probabilities[:, 1], measured, atol=1e-5)
    margins = np.array([float(row["margin"]) for row in rows])
    np.testing.assert_allclose(scores.logits[:, 1] - scores.logits[:, 0], margins, atol=1e-5)


def test_run_is_measured_and_scored_with_jax(run: Run) -> None:
    """Lesions are localised by gradients, and the scorecard randomises copies of the network."""
    assert read_json(run.provenance)["machine"]["backend"] == "jax"
    assert 0 <= read_json(run.evaluation)["localisation"]["pointing"] <= 1

    lines = {line["name"]: line for line in read_json(run.scorecard)["scorecard"]["lines"]}
    assert lines["randomised to conv2d"]["value"] < 0.9
    assert lines["batched"]["value"] < 1e-4


def test_same_training_with_jax_gives_equal_figures(run: Run, toml: Path, tmp_path: Path) -> None:
    with_jax(f"train {toml} --run {tmp_path / 'again'}")

    assert Run(tmp_path / "again").history.read_bytes() == run.history.read_bytes()
