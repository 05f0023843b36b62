"""Schema of an experiment's tables: where images are, which are used, and in which part."""

import re
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from service.records import Laterality

_COLUMN = re.compile(r"[^.\[\]]+")
_WHOLE_NUMBER = re.compile(r"(\d+)\.0+")


def template_fields(template: str) -> set[str]:
    """Return the columns that a path template names.

    Raises:
        ValueError: if its braces do not match.
    """
    return {field for _, field, _, _ in Formatter().parse(template) if field is not None}


def fold_name(text: str) -> str:
    """Return the name of a fold. Programs that take folds for decimals write 2.0 for 2."""
    number = _WHOLE_NUMBER.fullmatch(text.strip())
    return number[1] if number else text.strip()


def path_template(template: str) -> str:
    """Return a path template as it is.

    Raises:
        ValueError: if it cannot be filled in with the cells of a table.
    """
    fields = template_fields(template)
    if not all(_COLUMN.fullmatch(field) for field in fields):
        raise ValueError("has braces with something else than the name of a column")

    # A ValueError if the format behind a name is not one of text, as in {image_id:d}.
    template.format_map(dict.fromkeys(fields, "text"))
    return template


def _fold(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return fold_name(str(value)) if is_number or isinstance(value, str) else value


PathTemplate = Annotated[str, AfterValidator(path_template)]
Fold = Annotated[str, BeforeValidator(_fold)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Share = Annotated[float, Field(ge=0, lt=1)]

MIN_FOLDS = 3
"""Min. number of folds of a cross-validation: one to train on, one to choose on, one to test."""


class Section(BaseModel):
    """Base of all sections: frozen, with strict types, unknown keys forbidden."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ImageTable(Section):
    """Paths of a table and of its images. A template may use every column of the table."""

    table: Path = Field(description="CSV in the columns of the RSNA 2022 challenge")
    images: PathTemplate = Field(
        description="path of an image (DICOM, PNG, JPEG, TIFF), with columns as {patient_id}"
    )
    lesion_masks: PathTemplate | None = Field(
        default=None,
        description=(
            "path of a lesion mask, none where a column that it uses is empty; if given, "
            "localisation is measured"
        ),
    )


class FurtherTable(ImageTable):
    """Table beside the first one. Its patients are renamed to <name>.<patient_id>."""

    name: Slug = Field(description="name of the set: lower-case letters, digits, - and _")
    train_only: bool = Field(
        default=False, description="use the images for training alone, whatever the split"
    )


class Data(ImageTable):
    """Paths of the tables, the images and the cache."""

    cache: Path = Field(
        description="directory of the decoded and fitted images; experiments may share it"
    )
    further: tuple[FurtherTable, ...] = Field(
        default=(), description="further tables, each a section [[data.further]]"
    )

    @model_validator(mode="after")
    def _names_every_table_once(self) -> "Data":
        names = [table.name for table in self.further]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"several further tables have the name {', '.join(repeated)}")

        return self


class RowFilter(Section):
    """Conditions on the rows of the table. An omitted key sets no condition."""

    patient_ids: tuple[str, ...] = Field(default=(), description="only these patients")
    cancer: bool | None = Field(
        default=None, description="only images with (true) or without (false) cancer"
    )
    laterality: Laterality | None = Field(default=None, description="only this breast")
    views: tuple[str, ...] = Field(
        default=(), description='only these views, such as "CC" and "MLO"'
    )


class HashSplit(Section):
    """Split by patient, stratified by cancer.

    The draw depends only on the seed and the patient IDs.
    """

    by: Literal["patient"]
    validation: Share = Field(
        description="share of the patients for early stopping, temperature and threshold"
    )
    test: Share = Field(description="share of the patients that only `evaluate` uses")
    seed: int = Field(default=0, description="seed of the draw")

    @model_validator(mode="after")
    def _leaves_patients_to_train_on(self) -> "HashSplit":
        if self.validation + self.test >= 1:
            raise ValueError("validation + test must leave a share to train on")

        return self


class FoldSplit(Section):
    """Split by the table's column `fold`. Folds may be written as numbers."""

    by: Literal["fold"]
    # The lists of TOML are no tuples once the validator below has seen them.
    validation: tuple[Fold, ...] = Field(
        strict=False, description="folds for early stopping, temperature and threshold"
    )
    test: tuple[Fold, ...] = Field(strict=False, description="folds that only `evaluate` uses")

    @model_validator(mode="before")
    @classmethod
    def _draws_nothing(cls, section: Any) -> Any:
        if isinstance(section, dict) and "seed" in section:
            raise ValueError(
                "a split by fold draws nothing: delete `seed`, and give `validation` and `test` "
                'as lists of folds, such as ["3"]'
            )

        return section


class CrossSplit(Section):
    """Cross-validation: every fold is the test part of one round.

    The validation part is the next fold, or a share of the patients of all other folds. With three
    folds, the next fold as validation part leaves only one to train on.
    """

    by: Literal["cross-validation"]
    folds: int | tuple[Fold, ...] = Field(
        description="number of folds to draw by patient, or values of the table's column `fold`"
    )
    seed: int = Field(default=0, description="seed of the draws")
    validation: Share | None = Field(
        default=None,
        gt=0,
        description=(
            "share of the patients of all other folds that a round is chosen on; default: the "
            "patients of the next fold"
        ),
    )

    @model_validator(mode="after")
    def _has_three_folds(self) -> "CrossSplit":
        drawn = isinstance(self.folds, int)
        count = self.folds if isinstance(self.folds, int) else len(set(self.folds))
        if count < MIN_FOLDS or not (drawn or count == len(self.names)):
            raise ValueError(f"folds must be at least {MIN_FOLDS} different ones")

        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the folds, in order."""
        if isinstance(self.folds, int):
            return tuple(map(str, range(self.folds)))
        return self.folds
