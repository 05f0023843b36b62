"""Schema of an experiment's TOML file: every hyperparameter once, typed, bounded and documented.

Paths are relative to the working directory, which is the project's root in every example.
`training/experiments/demo.toml` is the experiment behind the bundle that ships.
"""

from pathlib import Path
from typing import TypeVar

from pydantic import Field

from service.records import FitParameters
from training.evaluation_config import Comparison, Targets
from training.network_config import AnyNetwork
from training.table_config import (
    CrossSplit,
    Data,
    FoldSplit,
    HashSplit,
    RowFilter,
    Section,
    Share,
)
from training.training_config import Augmentation, Training

SectionT = TypeVar("SectionT", bound=Section)


class Fit(Section):
    """Grid and grey scale of the model's input, see `service.records.FitParameters`."""

    height: int = Field(ge=16, le=4096, description="rows of the model's input")
    width: int = Field(ge=16, le=4096, description="columns of the model's input")
    margin: Share = Field(description="share of its longer edge by which the breast box is grown")
    white_percentile: float = Field(
        gt=0, le=100, description="percentile of the grey values in the breast that becomes 1.0"
    )

    def parameters(self) -> FitParameters:
        """Return the same values as the service's record."""
        return FitParameters(**self.model_dump())


class Card(Section):
    """Statements of the bundle and its model card that are not measured."""

    training_data: str = Field(description="sentence: data that the model was trained on")
    intended_use: str = Field(description="sentence: permitted use")
    limitations: str = Field(description="sentence: uses that are ruled out, and why")
    default_layer: str | None = Field(
        default=None,
        description="layer explained if a request names none; default: the deepest",
    )
    golden_image: Path | None = Field(
        default=None,
        description="image of the bundle's self-test; default: a rendered phantom",
    )
    deployment_prevalence: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description=(
            "share of images with cancer where the model is used, which its probabilities are for; "
            "default: that of the training part"
        ),
    )


class Requirements(Section):
    """Minima of the scorecard that depend on the data. An omitted key keeps its default."""

    min_auc: float = Field(
        default=0.65, ge=0.5, lt=1, description="AUC of single images, with its interval"
    )
    min_breast_auc: float = Field(
        default=0.7, ge=0.5, lt=1, description="AUC of breasts, with its interval"
    )


class ImageSource(Section):
    """Images of an experiment: where they are, which are used, their parts and their fit.

    `scorecard`: what a network must reach on them.
    """

    data: Data
    filter: RowFilter = RowFilter()
    split: HashSplit | FoldSplit | CrossSplit = Field(discriminator="by")
    fit: Fit
    scorecard: Requirements = Requirements()


class Experiment(ImageSource):
    """All inputs of a run except the data and the code."""

    network: AnyNetwork
    augmentation: Augmentation
    training: Training
    targets: Targets = Targets()
    comparison: Comparison = Comparison()
    bundle: Card


class Decision(Section):
    """Interpretation of a foreign model's outputs.

    For a model trained here, `evaluate` measures these values.
    """

    classes: tuple[str, ...] = Field(min_length=2, description="names of the outputs in order")
    positive_class: str = Field(description="class that the threshold applies to")
    threshold: float = Field(
        gt=0,
        lt=1,
        description="min. calibrated probability of the positive class for a positive decision",
    )
    threshold_rule: str = Field(description="sentence: how the threshold was chosen")
    temperature: float = Field(gt=0, description="divisor of the logits; 1 leaves them unchanged")
    offset: float = Field(
        default=0.0,
        allow_inf_nan=False,
        description="log-odds added to the positive class after the temperature; default 0",
    )


class ForeignModel(Section):
    """Description of a model trained elsewhere, for `export --keras` and `scorecard --keras`."""

    fit: Fit
    decision: Decision
    bundle: Card
    layers: tuple[str, ...] | None = Field(
        default=None,
        description=(
            "convolutional layers to explain; default: all; of more than 16, the last before each "
            "change of the grid, and one of each stage"
        ),
    )
    figures: dict[str, float] = Field(
        default_factory=dict, description="measured figures to put into the bundle"
    )
