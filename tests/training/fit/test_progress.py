import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.support.paths import ROOT
from training.config_files import load_experiment
from training.data.prepare import prepare
from training.data.table import Record, load_records
from training.fit.progress import EpochLog, count_part, duration, epoch_line, part_table
from training.fit.run import Run


def record(patient: str, image: str, *, cancer: bool) -> Record:
    return Record(patient, image, "L", "CC", cancer)


RECORDS = (
    record("a", "1", cancer=True),
    record("a", "2", cancer=True),
    record("b", "3", cancer=False),
)


def test_table_counts_images_patients_and_cancers() -> None:
    table = part_table([count_part("train", RECORDS, 0), count_part("test", RECORDS[:1])])

    assert [line.split() for line in table.splitlines()] == [
        ["part", "images", "patients", "cancers", "dropped"],
        ["train", "3", "2", "2", "0"],
        ["test", "1", "1", "1", "-"],
    ]


def test_dropped_images_give_a_warning() -> None:
    table = part_table([count_part("train", RECORDS, 4), count_part("validation", RECORDS, 1)])

    assert table.splitlines()[-1].startswith("warning: 5 images were dropped as unusable")


def test_line_of_epoch_tells_time_left() -> None:
    line = epoch_line(2, 12, {"train_loss": 0.61234, "learning_rate": 0.00098}, [50.0, 70.0])

    # Ten epochs of a minute each are left.
    assert line == (
        "epoch 2 of 12: train_loss 0.6123, learning_rate 0.00098, 1.2 min, at most 10.0 min left"
    )


def test_last_epoch_has_no_time_left() -> None:
    assert epoch_line(3, 3, {"train_loss": 0.5}, [2.0]) == "epoch 3 of 3: train_loss 0.5, 2.0 s"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (59, "59.0 s"), (90, "1.5 min"), (5400, "1.5 h")]
)
def test_duration_is_in_the_unit_that_suits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_tensorboard_gets_the_same_scalars(tmp_path: Path) -> None:
    log = EpochLog(tmp_path, epochs=2)
    log.tell(1, {"train_loss": 0.75, "learning_rate": 0.5})
    log.tell(2, {"train_loss": 0.25, "learning_rate": 0.125})

    events = EventAccumulator(str(tmp_path), size_guidance={"tensors": 0})
    events.Reload()

    assert set(events.Tags()["tensors"]) == {"train_loss", "learning_rate", "seconds"}
    losses = [tf.make_ndarray(event.tensor_proto) for event in events.Tensors("train_loss")]
    assert losses == [0.75, 0.25]


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

    _, train, validation, test, settings, first, second, _ = finished.stdout.splitlines()
    assert train.split() == ["train", "40", "20", "10", "0"]
    assert validation.split() == ["validation", "20", "10", "5", "0"]
    assert test.split() == ["test", "20", "10", "5", "0"]
    assert settings.startswith("device ")
    # Ten cancers and ten others are five batches of four.
    assert settings.endswith(", learning rate 0.01, 5 steps an epoch, at most 2 epochs")
    assert first.startswith("epoch 1 of 2: train_loss ")
    assert first.endswith(" left")
    # The rate has decayed along half a cosine, of which half is over.
    assert "learning_rate 0.005" in second
    assert "/5 [" in finished.stderr
