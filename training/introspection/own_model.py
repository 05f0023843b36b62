"""The manifest of a network that was trained here, from its experiment and what was chosen and measured."""

from collections.abc import Mapping
from dataclasses import dataclass

import keras

from service.model import Manifest
from training.config import Experiment
from training.introspection.description import describe_model

CLASSES = ("no_cancer", "cancer")
THRESHOLD_RULE = "Highest sensitivity at a specificity of at least 90 %, over single images of the validation patients."


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen on validation images: the temperature, and an operating point on calibrated probabilities.

    `sensitivity`, `specificity`: what the threshold gives on the images it was chosen on.
    """

    temperature: float
    threshold: float
    sensitivity: float
    specificity: float


def describe_own_model(
    model: keras.Model,
    experiment: Experiment,
    choice: Choice,
    *,
    figures: Mapping[str, float],
    name: str = "unnamed",
    version: int = 1,
) -> Manifest:
    """Describe the bundle of that network; see `describe_model` for the networks that it refuses."""
    return describe_model(
        model,
        name=name,
        version=version,
        classes=CLASSES,
        positive_class=CLASSES[1],
        threshold=choice.threshold,
        threshold_rule=THRESHOLD_RULE,
        temperature=choice.temperature,
        preprocessing=experiment.fit.parameters(),
        layers=None,
        default_layer=experiment.bundle.default_layer,
        training=experiment.bundle.training_data,
        figures=figures,
        intended_use=experiment.bundle.intended_use,
        limitations=experiment.bundle.limitations,
    )
