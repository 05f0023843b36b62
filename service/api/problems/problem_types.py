"""Status codes and headers of errors.

Slug, title and remedy are attributes of the error classes.
"""

from collections.abc import Mapping
from http import HTTPStatus

from service import errors
from service.api.problems.http_errors import (
    ForeignOrigin,
    HeadTooLarge,
    InternalError,
    InvalidParameters,
    MalformedRequest,
    MethodNotAllowed,
    Misdirected,
    RouteNotFound,
)
from service.errors import MammolensError

STATUSES: Mapping[type[MammolensError], HTTPStatus] = {
    # The file
    errors.EmptyImage: HTTPStatus.BAD_REQUEST,
    errors.UnsupportedFormat: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.UnsupportedImage: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.UnsupportedSyntax: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.SeveralFrames: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.ForProcessing: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.CorruptImage: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooManyPixels: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.Undecodable: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotAMammogram: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Tomosynthesis: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NoBreast: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotStorable: HTTPStatus.UNPROCESSABLE_ENTITY,
    # The request
    errors.MissingFile: HTTPStatus.BAD_REQUEST,
    errors.MalformedUpload: HTTPStatus.BAD_REQUEST,
    errors.UploadTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.ExamTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.TooManyImages: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UploadTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    errors.UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.UnsupportedCoding: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    errors.UnknownLayer: HTTPStatus.NOT_FOUND,
    errors.UnknownModel: HTTPStatus.NOT_FOUND,
    errors.InvalidInference: HTTPStatus.BAD_REQUEST,
    errors.JsonTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.NotFitted: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ImagesRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnknownClass: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NoScorecard: HTTPStatus.NOT_FOUND,
    errors.TooCostly: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.DecidedNegative: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NoRegion: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NoObject: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ObjectsTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.MixedExam: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NoImageAnswered: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidParameters: HTTPStatus.UNPROCESSABLE_ENTITY,
    RouteNotFound: HTTPStatus.NOT_FOUND,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    MalformedRequest: HTTPStatus.BAD_REQUEST,
    HeadTooLarge: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    Misdirected: HTTPStatus.MISDIRECTED_REQUEST,
    # Access
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    ForeignOrigin: HTTPStatus.FORBIDDEN,
    errors.KeysUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    # The service
    errors.NotReady: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.AuditUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.BundleError: HTTPStatus.CONFLICT,
    errors.Draining: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Busy: HTTPStatus.TOO_MANY_REQUESTS,
    errors.DeadlinePassed: HTTPStatus.GATEWAY_TIMEOUT,
    InternalError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

HEADERS: Mapping[type[MammolensError], Mapping[str, str]] = {
    errors.UploadTooSlow: {"Connection": "close"},
    errors.UnsupportedCoding: {"Accept-Encoding": "gzip"},
    errors.Unauthenticated: {"WWW-Authenticate": "Bearer"},
    errors.Draining: {"Connection": "close"},
}
"""Headers that the answer to an error needs."""

ACCESS_ERRORS = (
    Misdirected,
    ForeignOrigin,
    errors.Unauthenticated,
    errors.Forbidden,
    errors.KeysUnavailable,
    errors.RateLimited,
)
"""Errors that arise before the route is called."""


def status_of(cls: type[MammolensError]) -> HTTPStatus:
    """Return the status of an error class: its own, or that of the nearest base class."""
    return next(STATUSES[base] for base in cls.__mro__ if base in STATUSES)


def type_of(cls: type[MammolensError]) -> str:
    """Return the `type` of an error class in problem+json. It never changes."""
    return f"urn:mammolens:{cls.slug}"


def members(cls: type[MammolensError], detail: str) -> dict[str, object]:
    """Return the members that every problem has."""
    return {
        "type": type_of(cls),
        "title": cls.title,
        "status": int(status_of(cls)),
        "detail": detail,
        "remedy": cls.remedy,
    }
