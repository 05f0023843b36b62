"""The query options of each route; an unknown name is refused, so that no typing error passes silently."""

import math
from enum import StrEnum
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from service.api.negotiation import MediaType
from service.pipeline import Question
from service.rendering import Colormap, FilterScale, Render, Style
from service.results import Method

Absent = SkipJsonSchema[None]
"""A query option is left out, never null: generated clients need not know that it is None in here."""


class NoOptions(BaseModel):
    """No options at all."""

    model_config = ConfigDict(extra="forbid")


class ActivationsOptions(NoOptions):
    """How filters are drawn."""

    scale: FilterScale = Field(
        default=FilterScale.LAYER,
        description="What white means: the maximum of the whole layer, so that a dark filter looks dark, or each "
        "filter's own.",
    )
    colormap: Colormap = Field(default=Colormap.GRAY, description="Colours of the PNG montage.")


class Effort(StrEnum):
    """How much is measured of a heatmap: what comes with it, or what takes many more passes of the model, too."""

    QUICK = "quick"
    FULL = "full"


class GradcamOptions(NoOptions):
    """What is explained and how it is drawn."""

    method: Method = Field(
        default=Method.GRAD_CAM,
        description="From a layer's maps and gradients; or, the last three, from the input itself: then `layer` is of "
        "no consequence, and the answer takes seconds.",
    )
    layer: str | Absent = Field(
        default=None, description="Convolutional layer; default: the model's own.", examples=["conv2d_2"]
    )
    class_name: str | Absent = Field(
        default=None, alias="class", description="Class to explain; default: the positive one.", examples=["cancer"]
    )
    diagnostics: Effort = Field(
        default=Effort.QUICK,
        description="`full` adds stability under noise, insertion and deletion: some 70 more passes of the model.",
    )
    level: float = Field(default=0.5, ge=0.05, le=1, description="Share of the peak from which on heat makes a region.")
    render: Render | Absent = Field(
        default=None,
        description="Heat over the mammogram, or alone on transparency; default: `overlay` as PNG, `heatmap` in JSON.",
    )
    colormap: Colormap = Field(default=Colormap.INFERNO, description="Colours from cold to hot.")
    opacity: float = Field(default=0.6, ge=0, le=1, description="Opacity of the hottest cell.")
    size: str | Absent = Field(
        default=None,
        pattern="^(source|[1-9][0-9]{1,4})$",
        description="Long edge of the picture in pixels, at most the source's, or `source` for its own size; "
        "default: 1024 as PNG, 512 in JSON.",
        examples=["1024", "source"],
    )

    def question(self) -> Question:
        """What to explain and how."""
        return Question(self.method, self.layer, self.class_name, self.level, self.diagnostics is Effort.FULL)

    def style(self, media_type: MediaType) -> Style:
        """How to draw. As PNG the picture is for a person; in JSON it is for a program, which has the image itself."""
        size = self.size or ("1024" if media_type is MediaType.PNG else "512")
        return Style(self.colormap, self.opacity, math.inf if size == "source" else int(size))

    def what(self, media_type: MediaType) -> Render:
        """What to draw."""
        return self.render or (Render.OVERLAY if media_type is MediaType.PNG else Render.HEATMAP)


NoQuery = Annotated[NoOptions, Query()]
ActivationsQuery = Annotated[ActivationsOptions, Query()]
GradcamQuery = Annotated[GradcamOptions, Query()]
