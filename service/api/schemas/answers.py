"""The JSON on the wire.

Points are (x, y) = (column, row) of pixel centres. Matrices are 2x3 and map (x, y, 1). Numbers are
rounded by their kind, see `rounding`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.api.schemas.rounding import (
    Exact,
    Figure,
    Milliseconds,
    Percentage,
    RoundedField,
    RoundedSize,
    Share,
)
from service.records import (
    Alarm,
    Box,
    Derivation,
    FactSource,
    Laterality,
    Method,
    Side,
    SpacingPlane,
    Stage,
)

Pair = Annotated[list[Exact], Field(min_length=2, max_length=2)]
"""Two numbers. A tuple would be an array of anything to most generators of clients."""
Matrix = Annotated[
    list[Annotated[list[Exact], Field(min_length=3, max_length=3)]],
    Field(
        min_length=2,
        max_length=2,
        description="[[a, b, c], [d, e, f]]: x' = a x + b y + c, y' = d x + e y + f.",
    ),
]
Base64Png = Annotated[
    str, Field(json_schema_extra={"contentEncoding": "base64", "contentMediaType": "image/png"})
]
_SOURCE = (
    "Where it comes from: the file's header, the caller, or, in `mammolens explain` alone, the "
    "name of the file. Null if nothing says it."
)


class Schema(BaseModel):
    """Base of all bodies."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class ModelName(Schema):
    """Identity and intended use of the model."""

    name: str
    version: int
    digest: str = Field(
        description="SHA-256 of the bundle's manifest, which lists the SHA-256 of every other file."
    )
    intended_use: str


class Image(Schema):
    """Facts of the image; null if the file does not give one. Side and view may be the caller's."""

    format: Literal["dicom", "png", "jpeg", "tiff"]
    rows: int
    columns: int
    bits: int
    photometric: str | None
    transfer_syntax: str | None
    lossy: bool | None = Field(description="Whether the image has undergone lossy compression.")
    window: str | None = Field(description="The VOI window or LUT that was applied.")
    laterality: Laterality | None
    laterality_source: FactSource | None = Field(description=_SOURCE)
    view: str | None
    view_source: FactSource | None = Field(description=_SOURCE)
    view_modifiers: list[str] = Field(description="Modifiers of the view (PS3.16 CID 4015).")
    patient_orientation: Annotated[list[str], Field(min_length=2, max_length=2)] | None = Field(
        description="Directions of a row and of a column."
    )
    implant: bool | None
    partial_view: bool | None
    burned_in_annotation: bool | None
    derivation: Derivation | None = Field(
        description="How the image was made, if not by a plain exposure."
    )
    pixel_spacing_mm: Pair | None = Field(description="Between rows, between columns.")
    pixel_spacing_plane: SpacingPlane | None = Field(
        description="Where the pixel spacing holds: in the breast, at the detector, or unknown."
    )
    sop_instance_uid: str | None
    chest_wall: Side = Field(
        description="The side of the image on which the chest wall lies, from the pixels."
    )
    breast_box: Box = Field(description="The part of the image that the model saw.")
    reduction: int = Field(
        description="The image was read at 1 / reduction of its resolution along each axis."
    )


class Prediction(Schema):
    """A prediction at the model's operating point."""

    label: str = Field(description="The decided class.")
    positive: bool = Field(
        description="Whether the positive class' probability reaches the threshold."
    )
    probabilities: dict[str, Share] = Field(description="Calibrated probability by class.")
    positive_class: str
    threshold: Share
    threshold_rule: str = Field(description="How the threshold was chosen.")
    percentile: Percentage | None = Field(
        description="Share of the model version's cancer-free validation images whose probability "
        "of the positive class is lower, in per cent. Null if the model version has no quantiles."
    )


class Range(Schema):
    """The range of 98 % of the model version's reference images."""

    low: Figure
    high: Figure


class Measure(Schema):
    """A figure of this image beside the same figure of the reference images."""

    value: Figure
    reference: Range | None = Field(description="Null if none was measured.")
    unusual: bool = Field(
        description="Whether the value is outside of the reference range on its alarming side."
    )
    alarm: Alarm | None = Field(
        description="The alarming side of the reference range: below or above. A value outside on "
        "the other side is harmless. Null if neither side is alarming."
    )


Diagnostics = Annotated[
    dict[str, Measure],
    Field(
        description="The figures that tell how far to trust the answer, by name. "
        "docs/explanations.md describes all of them."
    ),
]


class Caution(Schema):
    """A warning: a stable kebab-case `code` and one sentence."""

    code: str
    message: str


class Answer(Schema):
    """Members of every answer about an image."""

    model: ModelName
    image: Image
    diagnostics: Diagnostics
    warnings: list[Caution]
    timings_ms: dict[str, Milliseconds] = Field(description="Milliseconds by step.")


class PredictAnswer(Answer):
    """A prediction."""

    prediction: Prediction


class Layer(Schema):
    """A convolutional layer for which heatmaps and activation maps can be computed."""

    name: str
    height: int
    width: int
    filters: int
    stage: Stage = Field(description="Third of the network's depth: early, middle or deep.")
    reading: str = Field(description="How to read its maps.")
    receptive_field: RoundedField
    effective_size: RoundedSize | None = Field(
        description="The size of the part of the receptive field that moves a cell most, in input "
        "pixels. Null if it was not measured."
    )
    tap: list[str] = Field(
        description="Names of the operations from the convolution to the one whose output the maps "
        "are, such as its batch normalisation and activation. Empty for an older bundle."
    )
    methods: list[Method] | None = Field(
        description="The methods of a layer that mean something at this one. Empty if only methods "
        "that explain the input do. Null if the bundle does not say."
    )


class Filter(Schema):
    """One filter: its map as a picture and in numbers."""

    index: int
    mean: Figure
    maximum: Figure
    zero_share: Share = Field(description="Share of cells at or below zero.")
    black: Figure = Field(description="The value drawn as 0 in the PNG.")
    white: Figure = Field(description="The value drawn as 255 in the PNG.")
    png: Base64Png = Field(
        description="Greyscale PNG in base64, one pixel per cell, upright as the source."
    )


class ActivationsAnswer(Answer):
    """Activation maps of a layer."""

    layer: Layer
    cell_to_source: Matrix = Field(description="From a filter PNG's pixels to source pixels.")
    filters: list[Filter]


class LayersAnswer(Schema):
    """Layers that can be explained, in order of depth."""

    default_layer: str
    layers: list[Layer]


class Health(Schema):
    """Alive or ready."""

    status: Literal["alive", "ready"]
