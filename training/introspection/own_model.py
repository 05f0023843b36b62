"""Manifest of a network that was trained by this package."""

from collections.abc import Mapping
from pathlib import Path

import keras
from pydantic import BaseModel, ConfigDict, ValidationError

from service.model import Levels, Manifest, Provenance
from training.config import Experiment
from training.errors import RunError
from training.introspection.description import BundleFacts, describe_model

CLASSES = ("no_cancer", "cancer")


class Choice(BaseModel):
    """Calibration and thresholds, chosen on validation patients.

    The probability of an image is sigmoid(margin / temperature + offset). `data_prevalence`: share
    of the validation images with cancer. `deployment_prevalence`: the share that the offset is for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float
    offset: float
    data_prevalence: float
    deployment_prevalence: float
    levels: Levels


def read_choice(path: Path) -> Choice:
    """Read what `evaluate` chose.

    Raises:
        RunError: the file was written by an earlier version.
    """
    try:
        return Choice.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RunError(
            f"{path} was written by another version: run `python -m training evaluate` again."
        ) from error


def describe_own_model(  # noqa: PLR0913 - facts of a bundle, by keyword
    model: keras.Model,
    experiment: Experiment,
    choice: Choice,
    *,
    figures: Mapping[str, float],
    provenance: Provenance | None = None,
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
        threshold=choice.levels.image.threshold,
        threshold_rule=choice.levels.image.target,
        temperature=choice.temperature,
        preprocessing=experiment.fit.parameters(),
        layers=None,
        default_layer=card.default_layer,
        training=card.training_data,
        figures=figures,
        intended_use=card.intended_use,
        limitations=card.limitations,
        offset=choice.offset,
        deployment_prevalence=choice.deployment_prevalence,
        levels=choice.levels,
        provenance=provenance,
    )

    return describe_model(model, facts)
