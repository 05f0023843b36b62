import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from training.config_files import load_experiment
from training.data.prepare import prepare
from training.data.table import load_records
from training.fit.progress import Progress, duration, epoch_line, outcome_line
from training.fit.run import Run
from training.training_config import Training


class Clock:
    """A clock that is set by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def training(epochs: int, patience: int) -> Training:
    return Training(seed=1, epochs=epochs, patience=patience, batch_size=4, learning_rate=0.01)


def test_line_of_epoch_tells_time_left() -> None:
    line = epoch_line(2, 12, {"train_loss": 0.61234, "learning_rate": 0.00098}, [90.0, 60.0])

    # Ten epochs of a minute each are left. The first one has compiled the network.
    assert line == (
        "epoch 2 of 12: train_loss 0.6123, learning_rate 0.00098, 1.0 min, at most 10.0 min left"
    )


def test_line_marks_the_best_epoch_so_far() -> None:
    assert "0.5, best so far, 2.0 s" in epoch_line(1, 3, {"train_loss": 0.5}, [2.0], best=True)


def test_last_epoch_has_no_time_left() -> None:
    assert epoch_line(3, 3, {"train_loss": 0.5}, [2.0]) == "epoch 3 of 3: train_loss 0.5, 2.0 s"


def test_bar_tells_mean_loss_pace_and_epoch() -> None:
    """The first step takes ten seconds, and every other one two seconds for eight images."""
    clock = Clock()
    with Progress(1, clock).epoch(1, steps=5) as bar:
        clock.now += 10
        bar.step(1.0, 8)
        first = bar.text
        for _ in range(2):
            clock.now += 2
            bar.step(0.25, 8)

        # Two steps are left.
        assert first == "loss 1.0000"
        assert bar.text == "loss 0.5000, 4 images/s, 4.0 s left"


def test_first_bar_estimates_run_from_its_steps() -> None:
    """Two seconds a step: 3 steps of this epoch and 20 of each of the others are left."""
    clock = Clock()
    with Progress(4, clock).epoch(1, steps=20) as bar:
        for _ in range(17):
            clock.now += 2
            bar.step(0.5, 8)

        assert bar.text.endswith(", 6.0 s left, run about 2.1 min left")


def test_later_bars_count_measured_epochs_only() -> None:
    """A run that goes on after epoch 7 measures one of 100 s, of which 96 s are for ten steps."""
    clock = Clock()
    progress = Progress(10, clock)
    clock.now += 100
    seconds = progress.tell(8, {}, best=False)

    with progress.epoch(9, steps=10) as bar:
        for _ in range(5):
            clock.now += 9.6
            bar.step(0.5, 8)

        # Of epochs 9 and 10 together, 48 s have passed.
        assert seconds == 100
        assert bar.text.endswith(", 48.0 s left, run at most 2.5 min left")


def test_slow_epoch_has_never_negative_time_left() -> None:
    clock = Clock()
    progress = Progress(2, clock)
    clock.now += 10
    progress.tell(1, {}, best=True)

    with progress.epoch(2, steps=4) as bar:
        for _ in range(3):
            clock.now += 20
            bar.step(0.5, 8)

        assert bar.text.endswith(", 20.0 s left")


def test_end_tells_kept_epoch_and_reason() -> None:
    patient = outcome_line(7, 12, training(epochs=40, patience=5))
    complete = outcome_line(39, 40, training(epochs=40, patience=5))

    assert patient == (
        "epoch 7 of 12 is kept, which has the best validation loss; "
        "training stopped because none of the 5 epochs after it was better"
    )
    assert complete.endswith("training stopped because all epochs are done")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (59, "59.0 s"), (90, "1.5 min"), (5400, "1.5 h")]
)
def test_duration_is_in_the_unit_that_suits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_training_tells_parts_settings_and_epochs(
    write_experiment: Callable[..., Path], tmp_path: Path
) -> None:
    """Of 40 patients, 20 have a cancer; a quarter of each is for validation and for the test."""
    toml = write_experiment(tmp_path / "toy.toml", ("epochs = 4", "epochs = 2"))
    experiment = load_experiment(toml)
    prepare(load_records(experiment), experiment, workers=2)
    run = Run(tmp_path / "run")

    finished = subprocess.run(
        [sys.executable, "-m", "training", "train", str(toml), "--run", str(run.directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    _, train, validation, test, settings, first, second, outcome = finished.stdout.splitlines()
    assert train.split() == ["train", "40", "20", "10", "0"]
    assert validation.split() == ["validation", "20", "10", "5", "0"]
    assert test.split() == ["test", "20", "10", "5", "0"]
    assert settings.startswith("device ")
    # Ten cancers and ten others are five batches of four.
    assert settings.endswith(", learning rate 0.01, 5 steps an epoch, at most 2 epochs")
    assert first.startswith("epoch 1 of 2: train_loss ")
    assert ", best so far, " in first
    assert first.endswith(" left")
    # The rate has decayed along half a cosine, of which half is over.
    assert "learning_rate 0.005" in second
    assert outcome.startswith(f"{run.best_model}: epoch ")
    assert outcome.endswith("training stopped because all epochs are done")
    # There is no terminal, so there are no bars.
    assert "/5 [" not in finished.stderr
