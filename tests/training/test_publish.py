from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from service.model import Bundle
from training.cache import open_part
from training.calibration import calibrate
from training.config import load_experiment
from training.dataset import load_records
from training.evaluate import evaluate
from training.network import logits_model
from training.prepare import prepare
from training.publish import export_foreign_model, export_run
from training.run import Run, read_json
from training.split import split_records
from training.train import train

FOREIGN = """\
[fit]
height = 48
width = 36
margin = 0.02
white_percentile = 99.5
[decision]
classes = ["benign", "malignant"]
positive_class = "malignant"
threshold = 0.3
threshold_rule = "Chosen elsewhere."
temperature = 1.5
[bundle]
training_data = "None."
intended_use = "Tests."
limitations = "Untrained."
"""


def test_a_bundle_answers_as_the_run_was_measured(write_experiment: Callable[..., Path], tmp_path: Path) -> None:
    toml = write_experiment(tmp_path / "toy.toml", ("epochs = 4", "epochs = 1"))
    experiment = load_experiment(toml)
    records = load_records(experiment)
    prepare(records, experiment, workers=2)
    split = split_records(records, experiment.split)
    train_part, validation_part, test_part = (
        open_part(part, experiment) for part in (split.train, split.validation, split.test)
    )
    run = Run(tmp_path / "runs" / "toy")
    run.begin(toml)
    train(run, experiment, train_part, validation_part)
    evaluate(run, experiment, validation_part, test_part)

    bundle = Bundle.load(export_run(run, tmp_path / "models" / "toy" / "7", overwrite=False, require_scorecard=False))

    decision = read_json(run.operating_point)
    manifest = bundle.manifest
    assert (manifest.name, manifest.version, manifest.default_layer) == ("toy", 7, "conv2d_2")
    assert (manifest.threshold, manifest.temperature) == (decision["threshold"], decision["temperature"])
    assert manifest.preprocessing == experiment.fit.parameters()
    images = test_part.images(range(4))
    logits = logits_model(keras.saving.load_model(run.best_model)).predict_on_batch(images)
    expected = calibrate((logits[:, 1] - logits[:, 0]).astype(np.float64), decision["temperature"])
    assert bundle.predict(images).probabilities[:, 1] == pytest.approx(expected, abs=1e-5)


def test_any_keras_classifier_becomes_a_bundle(tmp_path: Path) -> None:
    model = keras.Sequential(
        [
            keras.Input((48, 36, 1)),
            keras.layers.Conv2D(3, 3, activation="relu", name="only"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.save(tmp_path / "foreign.keras")
    (tmp_path / "foreign.toml").write_text(FOREIGN)
    out = export_foreign_model(
        tmp_path / "foreign.keras",
        tmp_path / "foreign.toml",
        tmp_path / "foreign" / "2",
        scorecard=None,
        overwrite=False,
        require_scorecard=False,
    )
    manifest = Bundle.load(out).manifest
    assert manifest.classes == ("benign", "malignant")
    assert [layer.name for layer in manifest.layers] == ["only"]
    assert (manifest.threshold, manifest.temperature, manifest.version) == (0.3, 1.5, 2)
