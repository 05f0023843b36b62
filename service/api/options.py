"""The query options of each route; an unknown name is refused, so that no typing error passes silently."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from service.rendering import Colormap, FilterScale, Render

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


class GradcamOptions(NoOptions):
    """What is explained and how it is drawn."""

    layer: str | Absent = Field(
        default=None, description="Convolutional layer; default: the model's own.", examples=["conv2d_2"]
    )
    class_name: str | Absent = Field(
        default=None, alias="class", description="Class to explain; default: the positive one.", examples=["cancer"]
    )
    render: Render = Field(default=Render.OVERLAY, description="Heat over the mammogram, or alone on transparency.")
    colormap: Colormap = Field(default=Colormap.INFERNO, description="Colours from cold to hot.")
    opacity: float = Field(default=0.6, ge=0, le=1, description="Opacity of the hottest cell.")
    size: str = Field(
        default="1024",
        pattern="^(source|[1-9][0-9]{1,4})$",
        description="Long edge of the picture in pixels, at most the source's, or `source` for its own size.",
        examples=["1024", "source"],
    )

    @property
    def long_edge(self) -> int | None:
        """The long edge in pixels; None for the source's own."""
        return None if self.size == "source" else int(self.size)


NoQuery = Annotated[NoOptions, Query()]
ActivationsQuery = Annotated[ActivationsOptions, Query()]
GradcamQuery = Annotated[GradcamOptions, Query()]
