"""Evaluate a run.

Temperature and threshold are chosen on validation images. Everything else is measured on test
images.
"""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import keras
import numpy as np

from service.records import Method
from training.config import Experiment
from training.data.cache import Part
from training.evaluation.calibration import PlattScaling, calibrate, fit_temperature
from training.evaluation.localisation import localise
from training.evaluation.plots import draw_confusion, draw_history, draw_reliability, draw_roc
from training.evaluation.reliability import expected_calibration_error, reliability
from training.evaluation.statistics import (
    Labels,
    Values,
    aggregate,
    auc,
    bootstrap,
    confusion,
    operating_point,
)
from training.fit.network import logits_model
from training.fit.run import Run, write_json
from training.fit.train import predict, read_history
from training.introspection.live_model import LiveModel
from training.introspection.own_model import Choice, describe_own_model

SPECIFICITY = 0.90


def evaluate(
    run: Run, experiment: Experiment, validation_part: Part, test_part: Part
) -> dict[str, Any]:
    """Measure a run, and return the document that is written to `run.evaluation`.

    Also writes `run.operating_point` and the plots.
    """
    model: keras.Model = keras.saving.load_model(
        run.require(run.best_model, "train"), compile=False
    )

    # Choose the operating point on the validation part.
    choice = choose(validation_part.labels, _margins(model, validation_part))
    write_json(run.operating_point, asdict(choice))

    # Measure on the test part.
    probabilities = calibrate(_margins(model, test_part), PlattScaling(choice.temperature))
    document = _measure(run, test_part, probabilities, choice)

    # Localisation is measured on the true positives whose lesions are known.
    detected = np.flatnonzero((probabilities >= choice.threshold) & (test_part.labels == 1))
    marked = [index for index in detected.tolist() if test_part.records[index].lesion_mask]
    if marked:
        document["localisation"] = _localise(model, experiment, choice, test_part, marked)

    write_json(run.evaluation, document)
    draw_history(run.directory / "history.png", read_history(run))

    return document


def choose(labels: Labels, margins: Values) -> Choice:
    """Choose temperature and operating point for these labels and margins.

    `margins`: logit of cancer minus that of no cancer.
    """
    temperature = fit_temperature(labels, margins)
    probabilities = calibrate(margins, PlattScaling(temperature))
    point = operating_point(labels, probabilities, SPECIFICITY)
    return Choice(temperature, point.threshold, point.sensitivity, point.specificity)


def headline(document: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures of an evaluation that the bundle contains."""
    figures = {
        "test_patients": document["test"]["patients"],
        "test_images": document["test"]["images"],
        "prevalence": document["test"]["prevalence"],
        "breast_auc": document["breasts"]["auc"]["value"],
        "breast_auc_low": document["breasts"]["auc"]["low"],
        "breast_auc_high": document["breasts"]["auc"]["high"],
        "breast_sensitivity_at_90_specificity": document["breasts"][
            "sensitivity_at_90_specificity"
        ]["value"],
        "image_auc": document["images"]["auc"]["value"],
        "image_sensitivity": document["images"]["at_threshold"]["sensitivity"],
        "image_specificity": document["images"]["at_threshold"]["specificity"],
        "expected_calibration_error": document["calibration"]["expected_calibration_error"],
    }
    if "localisation" in document:
        figures["lesion_hit_rate"] = document["localisation"]["pointing"]

    return figures


def _margins(model: keras.Model, part: Part) -> Values:
    logits = predict(logits_model(model), part).astype(np.float64)
    return np.asarray(logits[:, 1] - logits[:, 0])


def _measure(run: Run, part: Part, probabilities: Values, choice: Choice) -> dict[str, Any]:
    """Measure discrimination of images and breasts, and calibration. Draw the plots."""
    # Combine the views of each breast.
    labels = part.labels
    patients = [record.patient_id for record in part.records]
    breasts, breast_labels, breast_scores = aggregate(
        [record.breast for record in part.records], labels, probabilities
    )
    breast_patients = [patient for patient, *_ in breasts]

    # Measure. The intervals are drawn by patient.
    at_specificity = partial(_sensitivity_at, specificity=SPECIFICITY)
    image_auc = bootstrap(auc, labels, probabilities, patients)
    breast_auc = bootstrap(auc, breast_labels, breast_scores, breast_patients)
    breast_sensitivity = bootstrap(at_specificity, breast_labels, breast_scores, breast_patients)
    counts = confusion(labels, probabilities, choice.threshold)
    bins = reliability(labels, probabilities)
    error = expected_calibration_error(bins)

    # Draw.
    curves = {
        "breasts": (breast_labels, breast_scores, breast_auc),
        "images": (labels, probabilities, image_auc),
    }
    draw_roc(run.directory / "roc.png", curves)
    draw_confusion(run.directory / "confusion.png", counts, choice.threshold)
    draw_reliability(run.directory / "reliability.png", bins, error)

    return {
        "test": {
            "patients": len(set(patients)),
            "images": len(part),
            "prevalence": float(labels.mean()),
        },
        "images": {
            "auc": asdict(image_auc),
            "at_threshold": {
                **asdict(counts),
                "sensitivity": counts.sensitivity,
                "specificity": counts.specificity,
            },
        },
        "breasts": {
            "count": len(breasts),
            "auc": asdict(breast_auc),
            "sensitivity_at_90_specificity": asdict(breast_sensitivity),
        },
        "calibration": {
            "temperature": choice.temperature,
            "expected_calibration_error": error,
            "reliability": [asdict(group) for group in bins],
        },
    }


def _sensitivity_at(labels: Labels, scores: Values, specificity: float) -> float:
    return operating_point(labels, scores, specificity).sensitivity


def _localise(
    model: keras.Model,
    experiment: Experiment,
    choice: Choice,
    part: Part,
    true_positives: list[int],
) -> dict[str, Any]:
    """Measure how well Grad-CAM localises the lesions of the true positives."""
    manifest = describe_own_model(model, experiment, choice, figures={})

    figures = localise(LiveModel(model, manifest), part, true_positives, [Method.GRAD_CAM])
    return asdict(figures[Method.GRAD_CAM])
