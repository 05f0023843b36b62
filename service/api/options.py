"""Query options of each route, and the fields of a form.

An unknown option is refused, so that a typing error does not pass silently. So is one that is given
more than once, because only one of its values could count.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

from fastapi import Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import SkipJsonSchema

from service.api.negotiation import MediaType
from service.pipeline import Question
from service.records import HeatScale, Laterality, Method, NamedFacts, View
from service.rendering import Colormap, FilterScale, Render, Style

Absent = SkipJsonSchema[None]
"""Marks an optional query option.

It is left out, never null, so the OpenAPI document does not offer null. Bounds belong to the type
beside it: bounds of the whole union are no JSON Schema.
"""
PictureSize = Annotated[str, Field(pattern="^(source|[1-9][0-9]{1,4})$")]


class NoOptions(BaseModel):
    """Options of a route that has none."""

    model_config = ConfigDict(extra="forbid")


class ImageOptions(NoOptions):
    """Options of every route that takes an image: facts that a file may not say.

    A form may have them as fields, too.
    """

    laterality: Laterality | Absent = Field(
        default=None,
        description="The breast, for a file that does not say. A header that does counts.",
        examples=["L"],
    )
    view: View | Absent = Field(
        default=None,
        description="The view, for a file that does not say. A header that does counts.",
        examples=["MLO"],
    )

    def named(self, fields: Sequence[tuple[str, str]] = ()) -> NamedFacts:
        """Return the side and the view in the query or in the form's fields. Empty ones are none.

        Raises:
            RequestValidationError: a field is repeated, not allowed, or differs from the query.
        """
        given = [(name, value) for name, value in fields if value]
        _refuse_repeated("body", (name for name, _ in given))
        try:
            form = ImageOptions.model_validate(dict(given))
        except ValidationError as error:
            faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
            raise RequestValidationError(faults) from error

        differing = [
            {"loc": ("body", name), "msg": "The query and the form should not differ"}
            for name, value in form
            if None not in {value, getattr(self, name)} and value != getattr(self, name)
        ]
        if differing:
            raise RequestValidationError(differing)
        return NamedFacts(self.laterality or form.laterality, self.view or form.view)


FORM_FIELDS = tuple(ImageOptions.model_fields)
"""Fields of a form, beside its file."""


class ActivationsOptions(ImageOptions):
    """Options of /activations: how filters are drawn."""

    scale: FilterScale = Field(
        default=FilterScale.LAYER,
        description="The value drawn as white: the maximum of the whole layer, so that a dark "
        "filter looks dark, or the maximum of each filter.",
    )
    colormap: Colormap = Field(default=Colormap.GRAY, description="Colours of the montage.")


class Effort(StrEnum):
    """Figures of a heatmap: those of its one pass, or also those that take many passes."""

    QUICK = "quick"
    FULL = "full"


class QuestionOptions(NoOptions):
    """Options of every route that explains a prediction: the method and what it reports."""

    method: Method = Field(
        default=Method.GRAD_CAM,
        description="The last three explain the input itself: they ignore `layer`, and the answer "
        "takes seconds. All others work on a layer's maps and gradients.",
    )
    layer: str | Absent = Field(
        default=None,
        description="Convolutional layer; default: that of the model.",
        examples=["conv2d_2"],
    )
    diagnostics: Effort = Field(
        default=Effort.QUICK,
        description="`full` adds stability under noise, insertion and deletion: 70 passes of the "
        "model in place of 2, for a method that explains a layer.",
    )
    level: float = Field(
        default=0.5,
        ge=0.05,
        le=1,
        description="Share of the peak that `scale` names, above which heat forms a region.",
    )
    scale: HeatScale | Absent = Field(
        default=None,
        description="The heat drawn at full strength: `reference`, the reference peak of the model "
        "version, so that images can be compared; or `image`, the peak of the image itself. "
        "Default: `reference` where the model version has one, else `image`.",
    )

    def question(self) -> Question:
        """Return the question that these options put, about the positive class."""
        full = self.diagnostics is Effort.FULL
        return Question(self.method, self.layer, None, self.level, full, self.scale)


class HeatShown(StrEnum):
    """Images of an exam whose heat the answer holds: none, those decided positive, or all."""

    NONE = "none"
    POSITIVE = "positive"
    ALL = "all"


class ExamOptions(QuestionOptions):
    """Options of /exam: how its images are explained, and which explanations are answered."""

    heat: HeatShown = Field(
        default=HeatShown.POSITIVE,
        description="Images whose heat the answer holds. Heat of an image decided negative is no "
        "finding.",
    )


class ExamPixelsOptions(ExamOptions):
    """Options of /exam/pixels: those of /exam, and the size of the pixels."""

    size: PictureSize = Field(
        default="source",
        description="Long edge of each image in pixels, at most that of the file, or `source` for "
        "the file's own size.",
        examples=["4096", "source"],
    )

    def long_edge(self) -> float:
        """Return the long edge in pixels, infinity for that of the file."""
        return math.inf if self.size == "source" else int(self.size)


class GradcamOptions(ImageOptions, QuestionOptions):
    """Options of /gradcam: method, class and layer, and how the heatmap is drawn."""

    class_name: str | Absent = Field(
        default=None,
        alias="class",
        description="Class to explain; default: the positive class.",
        examples=["cancer"],
    )
    render: Render | Absent = Field(
        default=None,
        description="Heat over the mammogram, or alone on transparency, which JPEG does not have; "
        "default: `heatmap` in JSON, else `overlay`.",
    )
    colormap: Colormap = Field(default=Colormap.INFERNO, description="Colours from cold to hot.")
    opacity: float = Field(default=0.6, ge=0, le=1, description="Opacity of heat at full strength.")
    size: PictureSize | Absent = Field(
        default=None,
        description="Long edge of the picture in pixels, at most that of the source, or `source` "
        "for the source's size; at most 4096 as WebP; default: 512 in JSON, else 1024.",
        examples=["1024", "source"],
    )

    def question(self) -> Question:
        """Return the question that these options put."""
        return replace(super().question(), class_name=self.class_name)

    def style(self, media_type: MediaType) -> Style:
        """Return how to draw. A picture alone is for a person.

        JSON is for a program, which has the image itself.
        """
        size = self.size or ("512" if media_type is MediaType.JSON else "1024")
        long_edge = math.inf if size == "source" else int(size)
        picture_format = media_type.picture_format
        bounded = min(long_edge, picture_format.max_edge)
        return Style(self.colormap, self.opacity, bounded, picture_format)

    def rendering(self, media_type: MediaType) -> Render:
        """Return the kind of picture."""
        default = Render.HEATMAP if media_type is MediaType.JSON else Render.OVERLAY
        return self.render or default


async def refuse_repeated(request: Request) -> None:
    """Raise RequestValidationError if an option is given more than once."""
    _refuse_repeated("query", (name for name, _ in request.query_params.multi_items()))


def _refuse_repeated(place: str, names: Iterable[str]) -> None:
    counts = Counter(names)
    repeated = [
        {"loc": (place, name), "msg": "Value should be given once"}
        for name, count in counts.items()
        if count > 1
    ]
    if repeated:
        raise RequestValidationError(repeated)


ModelNamePath = Annotated[str, Path(alias="name", max_length=128, examples=["demo"])]
ModelVersionPath = Annotated[str, Path(alias="version", max_length=32, examples=["1"])]
NoQuery = Annotated[NoOptions, Query()]
ImageQuery = Annotated[ImageOptions, Query()]
ActivationsQuery = Annotated[ActivationsOptions, Query()]
GradcamQuery = Annotated[GradcamOptions, Query()]
ExamQuery = Annotated[ExamOptions, Query()]
ExamPixelsQuery = Annotated[ExamPixelsOptions, Query()]
