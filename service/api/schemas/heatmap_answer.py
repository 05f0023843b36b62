"""The JSON of a heatmap on the wire."""

from typing import Annotated

from pydantic import Field

from service.api.schemas.answers import (
    Answer,
    Base64Png,
    Layer,
    Matrix,
    Prediction,
    Schema,
)
from service.api.schemas.rounding import Coordinate, Figure, RoundedPeak, Share
from service.records import HeatScale, MapState, Method

Point = Annotated[list[Coordinate], Field(min_length=2, max_length=2)]

Note = Annotated[
    str | None,
    Field(description="That the heat is no finding, if the image is decided negative; else null."),
]


class Picture(Schema):
    """A PNG in the frame of the whole source image."""

    width: int
    height: int
    to_source: Matrix = Field(description="From the PNG's pixels to source pixels.")
    png: Base64Png = Field(description="The PNG in base64.")


class Region(Schema):
    """A connected part of the drawn heat, in source pixels: a mark for a viewer to draw."""

    contour: list[Point] = Field(description="The outline, (x, y) by (x, y).")
    box: Annotated[list[Coordinate], Field(min_length=4, max_length=4)] = Field(
        description="Left, top, right, bottom."
    )
    area: Figure = Field(description="In square pixels.")
    area_mm2: Figure | None = Field(description="Null if the file does not give the pixel spacing.")
    heat_share: Share = Field(description="Share of all drawn heat.")
    peak: Point = Field(description="The hottest point, (x, y).")
    peak_value: Figure = Field(description="The raw heat there.")
    note: Note = None


class Heat(Schema):
    """A heatmap: its values, its peak and its regions."""

    state: MapState = Field(description="`ok`, or why the map is blank.")
    peak: RoundedPeak | None
    relative_peak: Figure | None = Field(
        description="The peak's value / the reference peak of the model version. Null if the map "
        "is blank or has no reference peak."
    )
    scale: HeatScale = Field(
        description="The peak that picture and regions are relative to: the model version's "
        "reference peak, or the image's own. `values` are raw in either case."
    )
    note: Note
    values: list[list[Figure]] = Field(
        description="Raw values >= 0 by row and column, on the method's grid."
    )
    cell_to_source: Matrix = Field(
        description="From (column, row) of `values` to source pixels, including flips."
    )
    regions: list[Region] = Field(
        description=(
            "Parts of the drawn heat of at least `level` times the peak that `scale` names, sorted "
            "by their heat."
        )
    )


class GradcamAnswer(Heat, Answer):
    """A prediction with its heatmap, regions and diagnostics."""

    prediction: Prediction
    method: Method
    layer: Layer | None = Field(description="Null if the method explains the input itself.")
    class_name: str = Field(serialization_alias="class", description="The class that is explained.")
    picture: Picture
