"""Everything that can go wrong, as callers meet it: one table from errors to statuses, names and remedies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from service import errors

_TRY_PREDICT = "Post one mammogram: curl -F file=@image.dcm http://host:port/predict"


class InvalidParameters(errors.RequestError):
    """A query or path parameter is unknown, out of range or of the wrong type."""


class RouteNotFound(errors.RequestError):
    """No route has that path."""


class MethodNotAllowed(errors.RequestError):
    """The route has no such method."""


class MalformedRequest(errors.RequestError):
    """The bytes are no HTTP request."""


class InternalError(errors.MammolensError):
    """A fault of ours."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a class of errors is shown: `type` is urn:mammolens: + slug and never changes."""

    status: HTTPStatus
    slug: str
    title: str
    remedy: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """The stable identifier."""
        return f"urn:mammolens:{self.slug}"

    def members(self, detail: str) -> dict[str, str | int]:
        """What every problem of this kind consists of."""
        return {
            "type": self.type,
            "title": self.title,
            "status": int(self.status),
            "detail": detail,
            "remedy": self.remedy,
        }


KINDS: Mapping[type[errors.MammolensError], Kind] = {
    errors.EmptyImage: Kind(
        HTTPStatus.BAD_REQUEST, "empty-image", "The file is empty", "Send the whole file; check that it was read."
    ),
    errors.UnsupportedFormat: Kind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-format",
        "Not an image format we read",
        "Send DICOM, PNG, JPEG or TIFF.",
    ),
    errors.UnsupportedImage: Kind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-image",
        "Not in a form we read",
        "Send one greyscale frame in a form that the detail names.",
    ),
    errors.UnsupportedSyntax: Kind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-transfer-syntax",
        "A transfer syntax that is not read",
        "Send the image in one of the available transfer syntaxes.",
    ),
    errors.SeveralFrames: Kind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "several-frames",
        "More than one frame",
        "Send one two-dimensional mammogram; of a tomosynthesis, the two-dimensional view taken or computed with it.",
    ),
    errors.ForProcessing: Kind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "for-processing",
        "Raw, not meant for display",
        "Send the image FOR PRESENTATION that was made from it.",
    ),
    errors.CorruptImage: Kind(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "corrupt-image",
        "The image is damaged",
        "Export the image again from its archive; the file is truncated or damaged.",
    ),
    errors.TooManyPixels: Kind(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-many-pixels",
        "The image has too many pixels",
        "Send a smaller image, or have the operator raise MAMMOLENS_MAX_PIXELS.",
    ),
    errors.Undecodable: Kind(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "undecodable-image",
        "The image cannot be decoded within bounds",
        "Export the image again; if it is sound, have the operator raise MAMMOLENS_MAX_DECODE_SECONDS.",
    ),
    errors.NotAMammogram: Kind(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "not-a-mammogram",
        "The file is something else",
        "Send a two-dimensional mammogram, meant for presentation.",
    ),
    errors.Tomosynthesis: Kind(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "tomosynthesis",
        "A tomosynthesis",
        "Send the two-dimensional mammogram, or the two-dimensional view computed from the tomosynthesis.",
    ),
    errors.NoBreast: Kind(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "no-breast",
        "No breast was found",
        "Check that the image shows a breast at all.",
    ),
    errors.MissingFile: Kind(HTTPStatus.BAD_REQUEST, "missing-file", "No file was sent", _TRY_PREDICT),
    errors.MalformedUpload: Kind(HTTPStatus.BAD_REQUEST, "malformed-upload", "The body cannot be parsed", _TRY_PREDICT),
    errors.UploadTooLarge: Kind(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "upload-too-large",
        "The body is too large",
        "Send a smaller file, or have the operator raise MAMMOLENS_MAX_UPLOAD_BYTES.",
    ),
    errors.UploadTooSlow: Kind(
        HTTPStatus.REQUEST_TIMEOUT,
        "upload-too-slow",
        "The body arrives too slowly",
        "Send it over a faster connection, or have the operator raise MAMMOLENS_UPLOAD_SECONDS.",
        {"Connection": "close"},
    ),
    errors.UnsupportedMediaType: Kind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "Content type not taken",
        "Send a form (curl -F file=@image.dcm) or the raw file with one of the available content types.",
    ),
    errors.NotAcceptable: Kind(
        HTTPStatus.NOT_ACCEPTABLE,
        "not-acceptable",
        "No acceptable type to answer in",
        "Accept one of the available types.",
    ),
    errors.UnknownLayer: Kind(
        HTTPStatus.NOT_FOUND,
        "unknown-layer",
        "No such layer",
        "Name one of the available layers, or GET /model/layers.",
    ),
    errors.UnknownClass: Kind(
        HTTPStatus.UNPROCESSABLE_ENTITY, "unknown-class", "No such class", "Name one of the available classes."
    ),
    errors.NoScorecard: Kind(
        HTTPStatus.NOT_FOUND,
        "no-scorecard",
        "The model was not tested",
        "Have the model exported with a scorecard: `python -m training scorecard`, then `export`.",
    ),
    errors.Unauthenticated: Kind(
        HTTPStatus.UNAUTHORIZED,
        "unauthenticated",
        "Who asks is not known",
        "Send a valid key or token in the header Authorization: Bearer ...",
        {"WWW-Authenticate": "Bearer"},
    ),
    errors.Forbidden: Kind(
        HTTPStatus.FORBIDDEN, "forbidden", "Not allowed", "Have the operator grant the scope that the detail names."
    ),
    errors.KeysUnavailable: Kind(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "keys-unavailable",
        "Who asks cannot be checked",
        "Ask again later; the operator finds the cause in the log.",
    ),
    errors.RateLimited: Kind(
        HTTPStatus.TOO_MANY_REQUESTS, "rate-limited", "Too many requests", "Ask again after the time in Retry-After."
    ),
    errors.NotReady: Kind(
        HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", "Not ready yet", "Ask again when GET /readyz answers 200."
    ),
    errors.BundleError: Kind(
        HTTPStatus.CONFLICT,
        "model-refused",
        "The new version cannot be served",
        "Copy or export the bundle again; until it can be served, the version before it answers.",
    ),
    errors.Draining: Kind(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "draining",
        "About to end",
        "Ask another instance, or this one once it is back.",
        {"Connection": "close"},
    ),
    errors.Busy: Kind(
        HTTPStatus.TOO_MANY_REQUESTS, "busy", "Too many images at once", "Ask again after the time in Retry-After."
    ),
    errors.DeadlinePassed: Kind(
        HTTPStatus.GATEWAY_TIMEOUT,
        "deadline-passed",
        "Not answered in time",
        "Allow more time in Request-Timeout, up to MAMMOLENS_DEADLINE_SECONDS, or ask again when there is less to do.",
    ),
    InvalidParameters: Kind(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-parameter",
        "A parameter cannot be taken",
        "Correct the parameters listed; GET /openapi.json describes them all.",
    ),
    RouteNotFound: Kind(HTTPStatus.NOT_FOUND, "not-found", "No such route", "GET /openapi.json lists the routes."),
    MethodNotAllowed: Kind(
        HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", "No such method here", "Use a method of the Allow header."
    ),
    MalformedRequest: Kind(
        HTTPStatus.BAD_REQUEST,
        "malformed-request",
        "Not an HTTP request",
        "Speak HTTP/1.1; any HTTP library does.",
    ),
    InternalError: Kind(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal-error",
        "A fault of the service",
        "Report it with the request ID; sending the same request again will not help.",
    ),
}
ACCESS = (errors.Unauthenticated, errors.Forbidden, errors.KeysUnavailable, errors.RateLimited)
"""What can go wrong before a route is asked at all."""
