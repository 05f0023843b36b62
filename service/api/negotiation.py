"""Content negotiation by the Accept header (RFC 9110, section 12.5.1)."""

from enum import StrEnum

from fastapi import Request

from service.errors import NotAcceptable
from service.rendering import PictureFormat


class MediaType(StrEnum):
    """Media types of answers."""

    JSON = "application/json"
    PNG = "image/png"
    JPEG = "image/jpeg"
    WEBP = "image/webp"
    HTML = "text/html"
    DICOM = "application/dicom"
    RELATED = "multipart/related"
    FORM = "multipart/form-data"
    GZIP = "application/gzip"

    @property
    def picture_format(self) -> PictureFormat:
        """The format of pictures in an answer of this type. Those in JSON are PNG."""
        formats = {MediaType.JPEG: PictureFormat.JPEG, MediaType.WEBP: PictureFormat.WEBP}
        return formats.get(self, PictureFormat.PNG)


_PROBLEM = "application/problem+json"


def negotiate(request: Request, *offers: MediaType) -> MediaType:
    """Return the offered type with the highest weight. The first offer wins a tie.

    The type of problems says how the client wants errors, and nothing about other answers. Many
    generated clients accept it alone where it is the only JSON of an operation.

    Raises:
        NotAcceptable: the Accept header covers none of them.
    """
    accepted = ",".join(request.headers.getlist("accept"))
    parsed = [_parse(part) for part in accepted.split(",") if part.strip()]
    ranges = [part for part in parsed if part[0] != _PROBLEM] or [_parse("*/*")]

    best = max(offers, key=lambda offer: _quality(offer, ranges))  # max keeps the first of equals
    if _quality(best, ranges) == 0:
        raise NotAcceptable(offers)
    return best


def _parse(part: str) -> tuple[str, float]:
    """Return a media range and its weight.

    A weight that is not a number counts as 1, as if it were missing.
    """
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q" and value.replace(".", "", 1).isdecimal():
            return media_range, float(value)
    return media_range, 1.0


def _quality(offer: MediaType, ranges: list[tuple[str, float]]) -> float:
    """Return the weight of the most specific range that covers the offer, 0 if none does."""
    for covering in (offer.value, offer.partition("/")[0] + "/*", "*/*"):
        weights = [weight for media_range, weight in ranges if media_range == covering]
        if weights:
            return max(weights)
    return 0.0
