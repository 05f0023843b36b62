"""Manifest of a network that was trained by this package."""

from collections.abc import Mapping
from dataclasses import dataclass

import keras

from service.model import Manifest
from training.config import Experiment
from training.introspection.description import BundleFacts, describe_model

CLASSES = ("no_cancer", "cancer")
THRESHOLD_RULE = (
    "Highest sensitivity at a specificity of at least 90 %, over single images of the validation "
    "patients."
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Calibration and operating point, both chosen on validation images.

    `threshold`: calibrated probability. `sensitivity`, `specificity`: those of the threshold on
    the images it was chosen on. `offset`: log-odds added to the margin after the temperature.
    """

    temperature: float
    threshold: float
    sensitivity: float
    specificity: float
    offset: float = 0.0


def describe_own_model(
    model: keras.Model,
    experiment: Experiment,
    choice: Choice,
    *,
    figures: Mapping[str, float],
    name: str = "unnamed",
    version: int = 1,
) -> Manifest:
    """Build the manifest of a network from its experiment, its operating point and its figures.

    See `describe_model` for the networks that it refuses.
    """
    card = experiment.bundle
    facts = BundleFacts(
        name=name,
        version=version,
        classes=CLASSES,
        positive_class=CLASSES[1],
        threshold=choice.threshold,
        threshold_rule=THRESHOLD_RULE,
        temperature=choice.temperature,
        preprocessing=experiment.fit.parameters(),
        layers=None,
        default_layer=card.default_layer,
        training=card.training_data,
        figures=figures,
        intended_use=card.intended_use,
        limitations=card.limitations,
        offset=choice.offset,
    )

    return describe_model(model, facts)
