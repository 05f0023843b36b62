"""An experiment as one TOML file: every hyperparameter once, typed, bounded and documented.

Paths are relative to the working directory, which is the project's root in every example.
`training/experiments/demo.toml` is the experiment behind the bundle that ships.
"""

import json
import tomllib
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from service.records import FitParameters, Laterality
from training.errors import ConfigError


def _path_template(template: str) -> str:
    unknown = {field for _, field, _, _ in Formatter().parse(template) if field is not None} - {
        "patient_id",
        "image_id",
    }
    if unknown:
        raise ValueError(
            f"may use {{patient_id}} and {{image_id}}, not {', '.join(sorted(unknown))}"
        )
    return template


PathTemplate = Annotated[str, AfterValidator(_path_template)]
Share = Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    """Base of the sections: frozen, exact types, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


SectionT = TypeVar("SectionT", bound=Section)


class Data(Section):
    """Where the table and the images are."""

    table: Path = Field(description="CSV in the columns of the RSNA 2022 challenge")
    images: PathTemplate = Field(
        description="path of an image (DICOM, PNG, JPEG, TIFF) by {patient_id} and {image_id}"
    )
    lesion_masks: PathTemplate | None = Field(
        default=None, description="path of a lesion's mask, where known: localisation is measured"
    )
    cache: Path = Field(
        description="directory of the decoded and fitted images; may be shared by experiments"
    )


class RowFilter(Section):
    """Which rows of the table take part; what is left out does not filter."""

    patient_ids: tuple[str, ...] = Field(default=(), description="only these patients")
    cancer: bool | None = Field(
        default=None, description="only images with (true) or without (false) cancer"
    )
    laterality: Laterality | None = Field(default=None, description="only this breast")
    views: tuple[str, ...] = Field(
        default=(), description='only these views, such as "CC" and "MLO"'
    )


class HashSplit(Section):
    """Parts drawn by patient, stratified by cancer: a function of seed and patient IDs alone."""

    by: Literal["patient"]
    validation: Share = Field(
        description="share of the patients on which training is stopped, and temperature and threshold chosen"
    )
    test: Share = Field(description="share of the patients seen by `evaluate` alone")
    seed: int = Field(default=0, description="another seed, another draw")

    @model_validator(mode="after")
    def _leaves_patients_to_train_on(self) -> "HashSplit":
        if self.validation + self.test >= 1:
            raise ValueError("validation + test must leave a share to train on")
        return self


class FoldSplit(Section):
    """Parts given by the table's column `fold`."""

    by: Literal["fold"]
    validation: tuple[str, ...] = Field(
        description="folds on which training is stopped, and temperature and threshold chosen"
    )
    test: tuple[str, ...] = Field(description="folds seen by `evaluate` alone")


class Fit(Section):
    """The model's grid and grey scale; see `service.records.FitParameters`."""

    height: int = Field(ge=16, le=4096, description="rows of the model's input")
    width: int = Field(ge=16, le=4096, description="columns of the model's input")
    margin: Share = Field(description="the breast box is grown by this share of its longer edge")
    white_percentile: float = Field(
        gt=0, le=100, description="percentile of the grey values in the breast that becomes 1.0"
    )

    def parameters(self) -> FitParameters:
        """The same as the service's record."""
        return FitParameters(**self.model_dump())


class Network(Section):
    """The size of the network; its shape is in `training.fit.network`."""

    filters: tuple[int, int, int] = Field(description="filters of conv2d, conv2d_1 and conv2d_2")
    kernel_size: int = Field(ge=1, description="edge of their kernels")
    pool_size: int = Field(ge=1, description="edge and stride of the max-pooling after each")
    dropout: Share = Field(description="share of values dropped after each dense layer")
    pooling: Literal["flatten", "average", "max"] = Field(
        description="from the last maps to the dense layers"
    )
    dense: tuple[int, ...] = Field(description="units of the dense layers before the two classes")


class Augmentation(Section):
    """How far a training image may be from its original; each is drawn evenly and anew in every epoch."""

    flip: bool = Field(description="mirror top and bottom in half of the draws")
    shift: Share = Field(description="move by up to this share of the grid, along each axis")
    zoom: Share = Field(description="enlarge or shrink by up to this share")
    gain: Share = Field(description="multiply grey values by up to 1 plus or minus this share")
    gamma: Share = Field(
        description="raise grey values to a power of up to 1 plus or minus this share"
    )


class Training(Section):
    """The optimisation."""

    seed: int = Field(
        ge=0,
        description="of weights, dropout, draws and augmentation: the same seed gives the same figures",
    )
    epochs: int = Field(
        ge=1,
        description="at most; each sees every positive image and as many freshly drawn negative ones",
    )
    patience: int = Field(
        ge=1, description="stop after this many epochs without a better validation loss"
    )
    batch_size: int = Field(ge=1, description="images per step")
    learning_rate: float = Field(
        gt=0, description="of Adam at first; falls to zero over `epochs` along half a cosine"
    )


class Card(Section):
    """What the bundle says of itself beyond what is measured."""

    training_data: str = Field(description="sentence: what the model was trained on")
    intended_use: str = Field(description="sentence: what it may be used for")
    limitations: str = Field(description="sentence: what it must not be used for, and why")
    default_layer: str | None = Field(
        default=None,
        description="layer explained when a caller names none; the deepest if left out",
    )
    golden_image: Path | None = Field(
        default=None,
        description="image shipped as the bundle's self-test; a rendered phantom if left out",
    )


class Experiment(Section):
    """Everything one run depends on but the data and the code."""

    data: Data
    filter: RowFilter = RowFilter()
    split: HashSplit | FoldSplit = Field(discriminator="by")
    fit: Fit
    network: Network
    augmentation: Augmentation
    training: Training
    bundle: Card


class Decision(Section):
    """How a foreign model's outputs are read; for our own these are measured by `evaluate`."""

    classes: tuple[str, ...] = Field(min_length=2, description="names of the outputs, in order")
    positive_class: str = Field(description="the class that the threshold decides on")
    threshold: float = Field(
        gt=0,
        lt=1,
        description="calibrated probability of the positive class from which on it is positive",
    )
    threshold_rule: str = Field(description="sentence: how the threshold was chosen")
    temperature: float = Field(gt=0, description="divides the logits; 1 leaves the model as it is")


class ForeignModel(Section):
    """Everything `export --keras` must be told of a model that was not trained here."""

    fit: Fit
    decision: Decision
    bundle: Card
    layers: tuple[str, ...] | None = Field(
        default=None, description="convolutional layers to explain; all if left out"
    )
    figures: dict[str, float] = Field(
        default_factory=dict, description="measured figures to carry along"
    )


def load_experiment(path: Path) -> Experiment:
    """The experiment in a TOML file.

    Raises:
        ConfigError: naming each key that is wrong.
    """
    return _load(path, Experiment)


def load_foreign_model(path: Path) -> ForeignModel:
    """The description of a foreign model in a TOML file.

    Raises:
        ConfigError: naming each key that is wrong.
    """
    return _load(path, ForeignModel)


def _load(path: Path, kind: type[SectionT]) -> SectionT:
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"There is no file {path}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    try:
        # Through JSON: only there do pydantic's exact types take a list for a tuple and a string for a path.
        return kind.model_validate_json(json.dumps(document, default=str))
    except ValidationError as error:
        complaints = (
            f"  {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()
        )
        raise ConfigError(
            "\n".join([f"{path} does not describe what is needed:", *complaints])
        ) from error
