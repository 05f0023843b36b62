"""The JSON of `/`: the service, its state, and where to go from here."""

from typing import Literal

from pydantic import Field

from service.api.schemas.answers import ModelName, Schema


class FrontAnswer(Schema):
    """The service and its state. `model` is null unless it is ready and callers are anonymous."""

    name: Literal["mammolens"]
    version: str
    notice: str
    state: Literal["ready", "not-ready", "draining"]
    model: ModelName | None
    links: dict[str, str] = Field(description="Paths by what they lead to.")
