"""The JSON of errors."""

from pydantic import Field

from service.api.schemas.answers import Schema
from service.api.schemas.rounding import Figure


class InvalidParameter(Schema):
    """A parameter that cannot be taken, without the value that was sent."""

    parameter: str
    message: str


class ImageProblem(Schema):
    """The problem of one image of an exam."""

    type: str = Field(
        description="Stable identifier of this kind of problem.",
        examples=["urn:mammolens:no-breast"],
    )
    title: str
    status: int
    detail: str
    remedy: str = Field(description="How to avoid the error.")


class Problem(ImageProblem):
    """An RFC 9457 problem, with a remedy."""

    request_id: str | None = None
    available_layers: list[str] | None = None
    available_classes: list[str] | None = None
    available_types: list[str] | None = None
    available_codings: list[str] | None = None
    available_transfer_syntaxes: list[str] | None = None
    max_pixels: int | None = None
    max_upload_bytes: int | None = None
    max_exam_bytes: int | None = None
    max_exam_images: int | None = None
    passes: int | None = Field(
        default=None, description="Passes of the model that the request takes."
    )
    estimated_seconds: Figure | None = Field(
        default=None, description="Time of these passes at the least."
    )
    deadline_seconds: Figure | None = Field(
        default=None, description="Deadline with which the estimate was compared."
    )
    invalid_parameters: list[InvalidParameter] | None = None
    refusals: list[ImageProblem] | None = Field(
        default=None, description="The problem of each image of an exam, in their order."
    )
