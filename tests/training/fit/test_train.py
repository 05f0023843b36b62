import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.support.paths import ROOT
from training.config_files import load_experiment
from training.data.prepare import prepare
from training.data.table import load_records
from training.errors import RunError
from training.fit.history import Epoch, balanced_loss, best_epoch, is_finished, read_history
from training.fit.run import Run, write_json

EPOCHS = 8  # enough for a kill in the middle of the training


@pytest.fixture(scope="module")
def toml(write_experiment: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy experiment, with its images prepared."""
    path = write_experiment(
        tmp_path_factory.mktemp("train") / "toy.toml",
        ("epochs = 4", f"epochs = {EPOCHS}"),
        ("patience = 4", f"patience = {EPOCHS}"),
    )
    experiment = load_experiment(path)
    prepare(load_records(experiment), experiment, workers=2)
    return path


@pytest.fixture(scope="module")
def averaged(toml: Path) -> Path:
    """The same images, for a training that keeps more than weights and moments of Adam."""
    path = toml.with_name("averaged.toml")
    keys = """\
learning_rate = 0.01
warmup_epochs = 1.5
weight_decay = 0.01
clip = 1.0
ema = 0.8
label_smoothing = 0.1
ratio = 2
precision = "bfloat16"
monitor = "last"
"""
    path.write_text(toml.read_text().replace("learning_rate = 0.01\n", keys))
    return path


def command(toml: Path, run: Run, workers: int = 1) -> list[str]:
    options = ("--run", str(run.directory), "--workers", str(workers))
    return [sys.executable, "-m", "training", "train", str(toml), *options]


def train_in(directory: Path, toml: Path, workers: int = 1) -> Run:
    """Train in a new process, as users do.

    Earlier use of TensorFlow in the same process changes the last bits of a loss.
    """
    run = Run(directory)
    subprocess.run(command(toml, run, workers), cwd=ROOT, check=True, capture_output=True)
    return run


@pytest.fixture(scope="module")
def finished(toml: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of training without an interruption."""
    return train_in(tmp_path_factory.mktemp("runs") / "finished", toml)


def weights(run: Run) -> list[np.ndarray]:
    arrays: list[np.ndarray] = keras.saving.load_model(run.best_model, compile=False).get_weights()
    return arrays


def test_run_writes_model_history_and_logs(finished: Run) -> None:
    assert keras.saving.load_model(finished.best_model).output_shape == (None, 2)
    assert len(read_history(finished)) == EPOCHS
    assert list(finished.logs.glob("events.out.tfevents.*"))


def test_training_lowers_the_loss(finished: Run) -> None:
    history = read_history(finished)
    assert history[-1].train_loss < 0.9 * history[0].train_loss


@pytest.mark.interop
def test_same_seed_gives_same_figures(finished: Run, toml: Path, tmp_path: Path) -> None:
    again = train_in(tmp_path / "again", toml)

    assert read_history(again) == read_history(finished)
    assert all(
        (one == two).all() for one, two in zip(weights(again), weights(finished), strict=True)
    )


@pytest.mark.interop
@pytest.mark.parametrize("recipe", ["toml", "averaged"])
def test_killed_training_resumes_to_same_figures(
    recipe: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    toml: Path = request.getfixturevalue(recipe)
    finished = train_in(tmp_path / "finished", toml)
    run = Run(tmp_path / "killed")

    # Kill the process after its first epoch. Its threads have read images ahead.
    with subprocess.Popen(
        command(toml, run, workers=2),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + 120
        while not run.history.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)

    assert process.returncode == -signal.SIGKILL
    assert 0 < len(read_history(run)) < EPOCHS
    assert not run.best_model.exists()

    train_in(run.directory, toml, workers=2)

    assert run.history.read_bytes() == finished.history.read_bytes()
    assert all((one == two).all() for one, two in zip(weights(run), weights(finished), strict=True))


def test_only_last_and_best_checkpoints_are_kept(finished: Run) -> None:
    history = read_history(finished)
    expected = {finished.checkpoint(len(history)), finished.checkpoint(best_epoch(history))}

    checkpoints = set(finished.directory.glob("checkpoint-*"))

    assert checkpoints == expected


def test_run_directory_belongs_to_one_experiment(finished: Run, toml: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(toml.read_text().replace("seed = 3", "seed = 4"))

    with pytest.raises(RunError, match=r"\(training.seed: 3 there, 4 now\): .*--run"):
        finished.begin(other)


def test_refusal_names_every_key_that_differs(toml: Path, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.begin(toml)
    other = tmp_path / "other.toml"
    text = toml.read_text().replace(f"epochs = {EPOCHS}", "epochs = 10")
    other.write_text(text.replace("[split]", '[filter]\nlaterality = "L"\n[split]'))

    with pytest.raises(RunError) as refusal:
        run.begin(other)

    changes = f"filter.laterality: None there, L now; training.epochs: {EPOCHS} there, 10 now"
    assert changes in str(refusal.value)


def test_comments_of_the_experiment_may_change(toml: Path, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.begin(toml)
    other = tmp_path / "other.toml"
    text = toml.read_text().replace("learning_rate = 0.01", "learning_rate = 1e-2 # tried 0.1")
    # The default value, which the other file leaves out.
    other.write_text("# The second try.\n" + text.replace("gain =", "crop = 0.0\ngain ="))

    run.begin(other)

    assert run.experiment() == load_experiment(toml)


def test_run_of_other_code_is_refused(toml: Path, tmp_path: Path) -> None:
    """Weights of another network of the same shape would load without a word."""
    run = Run(tmp_path / "run")
    run.begin(toml)

    run.begin(toml)
    run.code.write_text("0" * 64)
    with pytest.raises(RunError, match="begun with another version"):
        run.begin(toml)

    run.code.unlink()
    with pytest.raises(RunError, match="begun with another version"):
        run.begin(toml)


def test_interrupted_write_keeps_the_old_history(
    finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "history.json"
    write_json(path, json.loads(finished.history.read_text()))

    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_json(path, [])

    assert path.read_text() == finished.history.read_text()


def epochs(*losses: float) -> list[Epoch]:
    return [Epoch(train_loss=1.0, validation_loss=loss, validation_auc=0.5) for loss in losses]


def test_training_stops_when_patience_is_used_up(toml: Path) -> None:
    experiment = load_experiment(toml)
    patient = experiment.training.model_copy(update={"epochs": 9, "patience": 2})

    assert not is_finished([], patient)
    assert not is_finished(epochs(0.5, 0.4, 0.6), patient)
    assert is_finished(epochs(0.5, 0.4, 0.6, 0.4), patient)
    assert best_epoch(epochs(0.5, 0.4, 0.6, 0.4)) == 2


def test_training_stops_when_epochs_are_used_up(toml: Path) -> None:
    training = load_experiment(toml).training

    assert is_finished(epochs(*np.linspace(1, 0.1, EPOCHS)), training)
    assert not is_finished(epochs(*np.linspace(1, 0.1, EPOCHS - 1)), training)


def test_validation_loss_weights_both_classes_equally() -> None:
    # Three correct negatives and one wrong positive, each with odds of 3 to 1.
    margin = np.log(3)
    logits = np.array([[margin, 0]] * 3 + [[0, -margin]], dtype=np.float32)
    expected = (-np.log(3 / 4) - np.log(1 / 4)) / 2

    loss = balanced_loss(np.array([0, 0, 0, 1], np.int32), logits)

    assert loss == pytest.approx(expected)
