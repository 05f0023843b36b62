"""Evaluate a run.

Calibration and thresholds are chosen on validation patients. Everything else is measured on test
patients.
"""

from dataclasses import asdict
from typing import Any

import keras
import numpy as np

from service.records import Method
from training.config import Experiment
from training.data.cache import Part
from training.data.prepared import PreparedSplit
from training.evaluation.calibration import calibrate
from training.evaluation.choice import choose, scalings, served_probabilities
from training.evaluation.comparison import floor_scores
from training.evaluation.localisation import localise
from training.evaluation.measured_run import measure_and_write
from training.evaluation.plots import draw_history
from training.evaluation.predictions import Predictions
from training.evaluation.statistics import Values
from training.fit.history import read_history
from training.fit.prediction import predict
from training.fit.run import Run
from training.introspection.live_model import LiveModel
from training.introspection.own_model import Choice, describe_own_model
from training.networks.cnn import logits_model
from training.networks.keras_file import load_network


def evaluate(run: Run, experiment: Experiment, parts: PreparedSplit) -> dict[str, Any]:
    """Measure a run, and return the document that is written to `run.evaluation`.

    Also writes `run.operating_point`, the predictions and the plots.
    """
    model = load_network(run.require(run.best_model, "train"))

    # Choose on the validation part.
    deployment = experiment.bundle.deployment_prevalence or usual_prevalence(parts)
    choice = choose(
        parts.validation.records, margins(model, parts.validation), experiment.targets, deployment
    )

    # Measure on the test part.
    deployed, at_data = scalings(choice)
    raw = margins(model, parts.test)
    predictions = Predictions(
        records=parts.test.records,
        margins=raw,
        probabilities=served_probabilities(raw, deployed),
        at_data=calibrate(raw, at_data),
        floors=floor_scores(parts, experiment.comparison),
    )
    localisation = _localise(model, experiment, choice, parts.test, predictions)
    draw_history(run.directory / "history.png", read_history(run))

    return measure_and_write(run, experiment, predictions, choice, further=localisation)


def usual_prevalence(parts: PreparedSplit) -> float:
    """Return the share of training images with cancer, or of validation images if that is 0 or 1.

    Images of tables that are for training alone do not count: they may be cancers alone.
    """
    divided = [record.cancer for record in parts.train.records if not record.train_only]
    share = sum(divided) / max(len(divided), 1)
    return share if 0 < share < 1 else float(parts.validation.labels.mean())


def margins(model: keras.Model, part: Part) -> Values:
    """Return the logits of cancer minus those of no cancer, of a part's images."""
    logits = predict(logits_model(model), part).astype(np.float64)
    return np.asarray(logits[:, 1] - logits[:, 0])


def _localise(
    model: keras.Model,
    experiment: Experiment,
    choice: Choice,
    part: Part,
    predictions: Predictions,
) -> dict[str, Any]:
    """Measure how well Grad-CAM localises the known lesions of true positives, if there are any.

    The figures are in `localisation` of the result, which is empty without them.
    """
    positive = predictions.probabilities >= choice.levels.image.threshold
    detected = [
        index
        for index, record in enumerate(part.records)
        if positive[index] and record.cancer and record.lesion_mask is not None
    ]
    if not detected:
        return {}

    manifest = describe_own_model(model, experiment, choice, figures={})
    figures = localise(LiveModel(model, manifest), part, detected, [Method.GRAD_CAM])
    return {"localisation": asdict(figures[Method.GRAD_CAM])}
