"""The JSON on the wire. Points are (x, y) = (column, row) of pixel centres; matrices are 2x3 and map (x, y, 1)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.model import Verdict
from service.records import (
    Box,
    Derivation,
    Laterality,
    MapState,
    Method,
    Peak,
    ReceptiveField,
    Side,
    Stage,
)

Matrix = Annotated[
    list[Annotated[list[float], Field(min_length=3, max_length=3)]],
    Field(
        min_length=2,
        max_length=2,
        description="[[a, b, c], [d, e, f]]: x' = a x + b y + c, y' = d x + e y + f.",
    ),
]
Base64Png = Annotated[
    str, Field(json_schema_extra={"contentEncoding": "base64", "contentMediaType": "image/png"})
]
Share = Annotated[float, Field(ge=0, le=1)]


class Schema(BaseModel):
    """Base of everything answered."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class ModelName(Schema):
    """Which model answered, and what it is for."""

    name: str
    version: int
    digest: str = Field(
        description="SHA-256 of the bundle's manifest, which lists the SHA-256 of every other file."
    )
    intended_use: str


class Image(Schema):
    """What was read of the image; null where the file does not say."""

    format: Literal["dicom", "png", "jpeg", "tiff"]
    rows: int
    columns: int
    bits: int
    photometric: str | None
    transfer_syntax: str | None
    lossy: bool | None = Field(description="Whether the image has undergone lossy compression.")
    window: str | None = Field(description="The VOI window or LUT that was applied.")
    laterality: Laterality | None
    view: str | None
    view_modifiers: list[str] = Field(
        description="How the view differs from the plain one, by PS3.16 CID 4015."
    )
    patient_orientation: tuple[str, str] | None = Field(
        description="Where a row and where a column run to."
    )
    implant: bool | None
    partial_view: bool | None
    burned_in_annotation: bool | None
    derivation: Derivation | None = Field(
        description="How the image was made, if not by a plain exposure."
    )
    pixel_spacing_mm: tuple[float, float] | None = Field(
        description="Between rows, between columns."
    )
    sop_instance_uid: str | None
    chest_wall: Side = Field(
        description="The side of the image on which the chest wall lies, from the pixels."
    )
    breast_box: Box = Field(description="The part of the image that the model saw.")


class Prediction(Schema):
    """A prediction at the model's operating point."""

    label: str = Field(description="The class decided for.")
    positive: bool = Field(
        description="Whether the positive class' probability reaches the threshold."
    )
    probabilities: dict[str, Share] = Field(description="Calibrated probability by class.")
    positive_class: str
    threshold: Share
    threshold_rule: str = Field(description="How the threshold was chosen.")


class Range(Schema):
    """Where 98 % of the model version's reference images lie."""

    low: float
    high: float


class Measure(Schema):
    """A figure of this image beside the same figure of the reference images."""

    value: float
    reference: Range | None = Field(description="Null where none was measured.")
    unusual: bool = Field(
        description="Whether the value lies beyond the reference on the side that is an alarm."
    )


Diagnostics = Annotated[
    dict[str, Measure],
    Field(
        description="The figures that tell how far to trust the answer, by name; docs/explanations.md has them all."
    ),
]


class Caution(Schema):
    """A warning: a stable kebab-case `code` and one sentence."""

    code: str
    message: str


class Answer(Schema):
    """What every answer on an image carries."""

    model: ModelName
    image: Image
    diagnostics: Diagnostics
    warnings: list[Caution]
    timings_ms: dict[str, float] = Field(description="Milliseconds by step.")


class PredictAnswer(Answer):
    """Cancer or no cancer."""

    prediction: Prediction


class Layer(Schema):
    """A convolutional layer that can be asked for."""

    name: str
    height: int
    width: int
    filters: int
    stage: Stage = Field(description="Which third of the network's depth it belongs to.")
    reading: str = Field(description="How to read its maps.")
    receptive_field: ReceptiveField


class Filter(Schema):
    """One filter: its map as a picture and in numbers."""

    index: int
    mean: float
    maximum: float
    zero_share: Share = Field(description="Share of cells at or below zero.")
    black: float = Field(description="The value drawn as 0 in the PNG.")
    white: float = Field(description="The value drawn as 255 in the PNG.")
    png: Base64Png = Field(
        description="Greyscale PNG, a pixel a cell, upright as the source; base64."
    )


class ActivationsAnswer(Answer):
    """What a layer's filters saw."""

    layer: Layer
    cell_to_source: Matrix = Field(description="From a filter PNG's pixels to source pixels.")
    filters: list[Filter]


class Picture(Schema):
    """A PNG in the frame of the whole source image."""

    width: int
    height: int
    to_source: Matrix = Field(description="From the PNG's pixels to source pixels.")
    png: Base64Png = Field(description="The PNG; base64.")


class Region(Schema):
    """A connected part of the heatmap, in source pixels: a mark for a viewer to draw."""

    contour: list[tuple[float, float]] = Field(description="The outline, (x, y) by (x, y).")
    box: tuple[float, float, float, float] = Field(description="Left, top, right, bottom.")
    area: float = Field(description="In square pixels.")
    area_mm2: float | None = Field(
        description="Null where the file does not give the pixel spacing."
    )
    heat_share: Share = Field(description="Share of all the heat.")
    peak: tuple[float, float] = Field(description="The hottest point, (x, y).")
    peak_value: float


class GradcamAnswer(Answer):
    """A prediction, where it came from, and how far to trust that."""

    prediction: Prediction
    method: Method
    layer: Layer | None = Field(description="Null where the method explains the input itself.")
    class_name: str = Field(serialization_alias="class", description="The class that is explained.")
    state: MapState = Field(description="`ok`, or why the map is blank.")
    peak: Peak | None
    values: list[list[float]] = Field(
        description="Raw values >= 0 by row and column, on the method's grid."
    )
    cell_to_source: Matrix = Field(
        description="From (column, row) of `values` to source pixels; flips are in it."
    )
    regions: list[Region] = Field(
        description="Where the heat reaches `level` of its peak, the most heat first."
    )
    picture: Picture


class ModelAnswer(Schema):
    """The manifest's facts."""

    model: ModelName
    created: str
    classes: list[str]
    positive_class: str
    threshold: Share
    threshold_rule: str
    temperature: float
    input_height: int
    input_width: int
    default_layer: str
    training: str
    figures: dict[str, float] = Field(description="Measured when the model was trained.")
    limitations: str


class LayersAnswer(Schema):
    """The layers one may ask for, in the order of depth."""

    default_layer: str
    layers: list[Layer]


class ScorecardLine(Schema):
    """One test of the model version."""

    name: str
    value: float | None = Field(description="Null where the test could not be made.")
    asked: str = Field(description="What the value must be.")
    verdict: Verdict
    meaning: str


class ScorecardAnswer(Schema):
    """What the model version was tested for before it was exported."""

    model: ModelName
    created: str
    images: int = Field(
        description="Reference images that it was tested on; it was not trained on them."
    )
    passed: bool
    lines: list[ScorecardLine]


class Health(Schema):
    """Alive or ready."""

    status: Literal["alive", "ready"]
