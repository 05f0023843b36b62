"""The JSON of the pixels of an exam on the wire."""

from typing import Annotated

from pydantic import Field

from service.api.schemas.answers import Matrix, Schema
from service.api.schemas.exam_answer import ExamAnswer
from service.records import PresetFunction

_Base64 = Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"})]


class PresetTable(Schema):
    """A VOI LUT: the entry of a value is that of round(value) - `first`, or the nearest one."""

    first: int
    maximum: int = Field(description="The entry that is white.")
    entries: _Base64 = Field(description="uint16, little endian, in base64.")


class Preset(Schema):
    """A VOI transform, from values to 0 black .. 1 white (PS3.3 C.11.2)."""

    name: str | None = Field(description="The file's name of it, if it is a known term.")
    function: PresetFunction
    center: float | None = Field(description="Null for a table.")
    width: float | None = Field(description="Null for a table.")
    table: PresetTable | None = Field(description="Null for a window.")


class SampleRange(Schema):
    """A range of samples, ends included."""

    first: int
    last: int


class HeatPixels(Schema):
    """The drawn heat of an image, in the part `heat-<i>`: uint16, little endian, gzip."""

    rows: int
    columns: int
    to_source: Matrix = Field(description="From its pixels to source pixels.")
    maximum: float = Field(description="The raw heat of the sample 65535. Heat is linear in it.")
    full_value: float = Field(description="The raw heat that is drawn at full strength.")


class ImagePixels(Schema):
    """The pixels of an image, in the part `pixels-<i>`: uint16, little endian, gzip.

    The value of a sample after the modality transform is slope * sample + intercept. A preset maps
    it to 0..1, and `inverted` to 1 minus that. Padding is 0.
    """

    rows: int
    columns: int
    to_source: Matrix = Field(description="From its pixels to source pixels.")
    slope: float
    intercept: float
    lowest: float = Field(description="The lowest value that occurs in the file, without padding.")
    highest: float = Field(description="The highest value that occurs in the file.")
    padding: SampleRange | None = Field(
        description="Samples that fill up the image and are black. Null if there are none."
    )
    inverted: bool = Field(description="Whether the preset's lowest grey is white.")
    presets: list[Preset] = Field(
        description="The transform that the service itself used, then others of the file."
    )
    heat: HeatPixels | None = Field(
        description="Null if the heatmap is blank, or if the option `heat` leaves it out."
    )


class ExamPixelsAnswer(ExamAnswer):
    """The part `answer` of /exam/pixels: the decisions on an exam, and what its pixels mean."""

    pixels: list[ImagePixels | None] = Field(
        description="In the order of the request. Null for an image that was refused."
    )
