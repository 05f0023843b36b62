"""Errors of the request around the file."""

from collections.abc import Sequence

from service.errors.base import MammolensError

_EXAMPLE = (
    "Post one mammogram: curl -F file=@image.dcm http://host:port/predict, or those of one exam: "
    "curl -F file=@1.dcm -F file=@2.dcm http://host:port/exam"
)


class RequestError(MammolensError):
    """The request cannot be answered in this form."""


class MissingFile(RequestError):
    """The form has no part named `file`."""

    slug = "missing-file"
    title = "No file in the request"
    remedy = _EXAMPLE


class MalformedUpload(RequestError):
    """The body does not follow its content type."""

    slug = "malformed-upload"
    title = "Invalid request body"
    remedy = _EXAMPLE


class UploadTooLarge(RequestError):
    """The body is larger than the limit."""

    slug = "upload-too-large"
    title = "Request body too large"
    remedy = "Send a smaller file, or ask the operator to raise MAMMOLENS_MAX_UPLOAD_BYTES."

    def __init__(self, max_upload_bytes: int) -> None:
        detail = f"The body is larger than {max_upload_bytes} bytes."
        super().__init__(detail, max_upload_bytes=max_upload_bytes)


class ExamTooLarge(UploadTooLarge):
    """The files of an exam are larger than the limit, all together."""

    slug = "exam-too-large"
    title = "Exam too large"
    remedy = (
        "Send fewer or smaller files in a request, or ask the operator to raise "
        "MAMMOLENS_MAX_EXAM_BYTES."
    )

    def __init__(self, max_exam_bytes: int) -> None:
        detail = f"The files are larger than {max_exam_bytes} bytes together."
        RequestError.__init__(self, detail, max_exam_bytes=max_exam_bytes)


class TooManyImages(RequestError):
    """The body has more files than an exam may have."""

    slug = "too-many-images"
    title = "Too many images for one exam"
    remedy = (
        "Send the images of one exam in a request, or ask the operator to raise "
        "MAMMOLENS_MAX_EXAM_IMAGES."
    )

    def __init__(self, max_exam_images: int) -> None:
        detail = f"The body has more than {max_exam_images} files."
        super().__init__(detail, max_exam_images=max_exam_images)


class UploadTooSlow(RequestError):
    """The body did not arrive in time."""

    slug = "upload-too-slow"
    title = "Request body arrived too slowly"
    remedy = "Use a faster connection, or ask the operator to lower MAMMOLENS_MIN_UPLOAD_RATE."


class UnsupportedMediaType(RequestError):
    """The content type of the body is unsupported."""

    slug = "unsupported-media-type"
    title = "Unsupported media type"
    remedy = (
        "Send a form (curl -F file=@image.dcm), or the raw file with one of the available content "
        "types."
    )

    def __init__(self, available: Sequence[str]) -> None:
        super().__init__(
            "The content type of the body is unsupported.", available_types=tuple(available)
        )


class UnsupportedCoding(RequestError):
    """The body has a content coding other than gzip."""

    slug = "unsupported-content-coding"
    title = "Unsupported content coding"
    remedy = "Send the body without a Content-Encoding, or with `gzip`."

    def __init__(self, name: str | None = None) -> None:
        coding = f"The content coding {name}" if name else "The content coding"
        super().__init__(f"{coding} of the body is unsupported.", available_codings=("gzip",))


class NotAcceptable(RequestError):
    """The Accept header names no type that the route can answer with."""

    slug = "not-acceptable"
    title = "No acceptable response type"
    remedy = "Accept one of the available types."

    def __init__(self, available: Sequence[str]) -> None:
        detail = "The Accept header names no type that this route can answer with."
        super().__init__(detail, available_types=tuple(available))


class JsonTooLarge(UploadTooLarge):
    """The JSON of an inference request is larger than the limit."""

    slug = "json-too-large"
    title = "JSON too large"
    remedy = (
        "Send the bytes of large files as a binary tensor: they follow the JSON, whose length the "
        "header Inference-Header-Content-Length tells."
    )

    def __init__(self, max_json_bytes: int) -> None:
        RequestError.__init__(self, f"The JSON is larger than {max_json_bytes} bytes.")


class InvalidInference(RequestError):
    """The body is no inference request of the Open Inference Protocol that the model can take."""

    slug = "invalid-inference"
    title = "Invalid inference request"
    remedy = "GET /v2/models/{name} describes the tensors. docs/inference.md has examples."


class NotFitted(RequestError):
    """The tensor is not an image that was fitted to the model's grid."""

    slug = "not-fitted"
    title = "Not a fitted image"
    remedy = (
        "Send values from 0 to 1, as the fit of this release gives them, or send the file itself "
        "as the tensor `image`."
    )


class UnknownModel(RequestError):
    """The service has no model of that name and version."""

    slug = "unknown-model"
    title = "Unknown model"
    remedy = "Use the name and a version of the model that is served. GET /model tells both."

    def __init__(self) -> None:
        super().__init__("The service has no model of that name and version.")


class UnknownLayer(RequestError):
    """The model has no such layer that can be explained."""

    slug = "unknown-layer"
    title = "Unknown layer"
    remedy = "Use one of the available layers. GET /model/layers describes them."

    def __init__(self, available: Sequence[str]) -> None:
        detail = "The model has no layer of that name that can be explained."
        super().__init__(detail, available_layers=tuple(available))


class UnknownClass(RequestError):
    """The model has no such class."""

    slug = "unknown-class"
    title = "Unknown class"
    remedy = "Use one of the available classes."

    def __init__(self, available: Sequence[str]) -> None:
        super().__init__("The model has no class of that name.", available_classes=tuple(available))


class NoScorecard(RequestError):
    """The model version has no scorecard."""

    slug = "no-scorecard"
    title = "Model has no scorecard"
    remedy = (
        "Export the model with a scorecard: run `python -m training scorecard`, then "
        "`python -m training export`."
    )


class TooCostly(RequestError):
    """The passes of the model that the request takes exceed its deadline on an idle service."""

    slug = "too-costly"
    title = "Request too costly for its deadline"
    remedy = (
        "Ask for quick diagnostics or a method that explains a layer. If the header "
        "Request-Timeout set the deadline, send a larger one. Otherwise ask the operator to raise "
        "MAMMOLENS_DEADLINE_SECONDS."
    )

    def __init__(self, passes: int, estimated_seconds: float, deadline_seconds: float) -> None:
        detail = (
            f"The request takes about {passes} passes of the model, {estimated_seconds:.3g} s at "
            f"the least. Its deadline is {deadline_seconds:g} s."
        )
        super().__init__(
            detail,
            passes=passes,
            estimated_seconds=estimated_seconds,
            deadline_seconds=deadline_seconds,
        )
