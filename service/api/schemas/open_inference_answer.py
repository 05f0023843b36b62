"""The JSON of the Open Inference Protocol V2."""

from typing import Annotated

from pydantic import Field

from service.api.schemas.answers import Schema
from service.api.schemas.heatmap_answer import Note, Region
from service.api.schemas.rounding import Figure
from service.records import HeatScale, MapState, Method

Shape = Annotated[list[int], Field(description="Sizes of the dimensions; -1 for any size.")]


class InferenceError(Schema):
    """The error of a route of the protocol."""

    error: str = Field(description="The fault, and how to avoid it.")


class ServerLive(Schema):
    """Whether the process answers."""

    live: bool


class ServerReady(Schema):
    """Whether images can be predicted."""

    ready: bool


class ModelReady(Schema):
    """Whether the model can be used."""

    name: str
    ready: bool


class ServerFacts(Schema):
    """Metadata of the server."""

    name: str
    version: str
    extensions: list[str]


class TensorFacts(Schema):
    """Metadata of a tensor."""

    name: str
    datatype: str
    shape: Shape


class InferenceModel(Schema):
    """Metadata of the model. `inputs` are alternatives: a request has one of them."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorFacts]
    outputs: list[TensorFacts]
    properties: dict[str, str] = Field(
        description="Digest, intended use, classes and threshold of the model version."
    )


class InferenceFacts(Schema):
    """Parameters of an answer: the identity of the model version, and its decision."""

    digest: str
    intended_use: str
    positive_class: str
    threshold: float


class InferenceOutput(Schema):
    """An output tensor. Its bytes follow the JSON if it has `binary_data_size` in place of data."""

    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, int] | None = None
    data: list[bool | float | str] | None = Field(
        default=None, description="The elements in row-major order."
    )


class InferenceAnswer(Schema):
    """Answer to an inference."""

    model_name: str
    model_version: str
    id: str | None = Field(default=None, description="That of the request, if it has one.")
    parameters: InferenceFacts
    outputs: list[InferenceOutput]


class InferredExplanation(Schema):
    """Element of the output `explanation`: how the heatmap was made, and how to read it."""

    method: Method
    layer: str | None
    class_name: str = Field(serialization_alias="class")
    state: MapState
    relative_peak: Figure | None
    scale: HeatScale
    note: Note
    regions: list[Region]
