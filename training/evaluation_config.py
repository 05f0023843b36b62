"""Sections of an experiment about its evaluation: targets of decisions, and comparisons."""

from typing import Literal

from pydantic import Field, model_validator

from training.table_config import Section


class LevelTarget(Section):
    """Target of the threshold of one level. Exactly one key."""

    specificity: float | None = Field(
        default=None, gt=0, lt=1, description="min. share of cases without cancer called negative"
    )
    sensitivity: float | None = Field(
        default=None, gt=0, lt=1, description="min. share of cases with cancer called positive"
    )
    recall: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="max. share of all cases called positive, at the deployment prevalence",
    )

    @model_validator(mode="after")
    def _has_one_key(self) -> "LevelTarget":
        if len(self.model_fields_set) != 1:
            raise ValueError("needs exactly one of specificity, sensitivity and recall")

        return self

    @property
    def kind(self) -> Literal["specificity", "sensitivity", "recall"]:
        """Name of the figure that the target bounds."""
        if self.specificity is not None:
            return "specificity"
        return "recall" if self.sensitivity is None else "sensitivity"

    @property
    def value(self) -> float:
        """Bound of that figure."""
        return float(getattr(self, self.kind))


_USUAL_TARGET = LevelTarget(specificity=0.90)


class Targets(Section):
    """Targets of the thresholds, which are chosen on validation patients."""

    image: LevelTarget = Field(default=_USUAL_TARGET, description="decision about a single image")
    breast: LevelTarget = Field(
        default=_USUAL_TARGET, description="decision about a breast, from its views"
    )
    exam: LevelTarget = Field(
        default=_USUAL_TARGET, description="decision about an exam, from its breasts"
    )


class Comparison(Section):
    """Columns of the table that `evaluate` compares the network with and groups its figures by."""

    metadata: tuple[str, ...] = Field(
        default=("machine_id", "age", "view"),
        description="columns of the floor: facts beside the image that may predict cancer",
    )
    machine: str = Field(
        default="machine_id", description="column within whose values the AUC is measured, too"
    )
    subgroups: tuple[str, ...] = Field(
        default=("site_id", "machine_id", "view", "age", "density"),
        description="columns whose groups are measured; those that the table lacks are left out",
    )
