"""Everything that can go wrong, as one small tree with no HTTP in it.

    MammolensError
    ├── ImageError               the caller's file
    │   ├── EmptyImage               no bytes at all
    │   ├── UnsupportedFormat        bytes that are no image format we read
    │   ├── UnsupportedImage         a known format in a form we do not read
    │   │   ├── UnsupportedSyntax        a DICOM transfer syntax without decoder
    │   │   ├── SeveralFrames            more than one frame or page
    │   │   └── ForProcessing            raw detector values
    │   ├── CorruptImage             truncated or damaged
    │   ├── TooManyPixels            would not fit the memory bound
    │   ├── Undecodable              decoding it took too long or too much memory, or ended the decoder
    │   ├── NotAMammogram            says of itself that it is something else
    │   │   └── Tomosynthesis            slices or projections instead of one image
    │   └── NoBreast                 pixels in which no breast was found
    ├── RequestError             how the caller asked
    │   ├── MissingFile              a form without a part named `file`
    │   ├── MalformedUpload          a body that does not follow its own content type
    │   ├── UploadTooLarge           more bytes than are read
    │   ├── UploadTooSlow            a body that takes too long to arrive
    │   ├── UnsupportedMediaType     a body of a type we do not take
    │   ├── NotAcceptable            an answer of a type we do not give
    │   ├── UnknownLayer             a layer the model does not have
    │   ├── UnknownClass             a class the model does not have
    │   └── NoScorecard              a model that was not tested
    ├── AccessError              who asks
    │   ├── Unauthenticated          nobody that is known
    │   └── Forbidden                someone who may not
    ├── Unavailable              not the caller's fault, but for the last one
    │   ├── NotReady                 the model is not loaded yet
    │   ├── Draining                 the service is about to end
    │   ├── Busy                     could not be answered in time
    │   ├── DeadlinePassed           was not answered in time
    │   ├── Abandoned                the caller did not wait for the answer
    │   ├── KeysUnavailable          who asks cannot be found out
    │   └── RateLimited              the caller asks too often
    └── BundleError              the model directory; each of them stops the start
        ├── BundleMissing
        ├── BundleDamaged
        └── BundleMismatch           runs, but does not reproduce its golden case

Foreign exceptions become one of these at the boundary where they arise, `from` their cause. A message never repeats
what a file's header or pixels hold, beyond the name of the format, syntax or modality: it may be logged and is sent
to the caller.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar


class MammolensError(Exception):
    """Base of every error of ours; `str(error)` is for the caller, `facts` are the same in machine-readable form."""

    @property
    def facts(self) -> Mapping[str, int | Sequence[str]]:
        """What the caller needs to do better: limits, what is available."""
        return {}

    def __reduce__(self) -> tuple[Callable[..., "MammolensError"], tuple[object, ...]]:
        """How to make it again in another process: as it is, whatever its class was made from."""
        return _remake, (type(self), self.args, self.__dict__)


def _remake(cls: type[MammolensError], arguments: tuple[object, ...], state: Mapping[str, object]) -> MammolensError:
    error = cls.__new__(cls, *arguments)
    error.__dict__.update(state)
    return error


class ImageError(MammolensError):
    """The file cannot be turned into a mammogram."""


class EmptyImage(ImageError):
    """The file has no bytes."""


class UnsupportedFormat(ImageError):
    """The bytes are none of DICOM, PNG, JPEG and TIFF."""


class UnsupportedImage(ImageError):
    """The format is known, but not this form of it: colour, floating point, an unusual depth."""


class UnsupportedSyntax(UnsupportedImage):
    """The pixel data are in a transfer syntax without decoder."""

    def __init__(self, name: str, available: Sequence[str]) -> None:
        super().__init__(f"The transfer syntax {name} is not read.")
        self.available = tuple(available)

    @property
    def facts(self) -> Mapping[str, int | Sequence[str]]:
        """What may be sent instead."""
        return {"available_transfer_syntaxes": self.available}


class SeveralFrames(UnsupportedImage):
    """The file has more than one frame or page."""


class ForProcessing(UnsupportedImage):
    """The mammogram is raw, not meant for display."""


class CorruptImage(ImageError):
    """The file is truncated or damaged."""


class TooManyPixels(ImageError):
    """The image claims more pixels than the service is willing to decode."""

    def __init__(self, pixels: int, max_pixels: int) -> None:
        super().__init__(f"The image has {pixels} pixels; at most {max_pixels} are accepted.")
        self.max_pixels = max_pixels

    @property
    def facts(self) -> Mapping[str, int | Sequence[str]]:
        """The limit."""
        return {"max_pixels": self.max_pixels}


class Undecodable(ImageError):
    """Decoding the file took too long or too much memory, or ended the process that did it."""


class NotAMammogram(ImageError):
    """The file says of itself that it is something other than a two-dimensional mammogram."""


class Tomosynthesis(NotAMammogram):
    """The file holds slices or projections of a tomosynthesis."""


class NoBreast(ImageError):
    """No breast was found in the pixels."""


class RequestError(MammolensError):
    """The request cannot be answered as it was put."""


class MissingFile(RequestError):
    """The form has no file in a part named `file`."""


class MalformedUpload(RequestError):
    """The body does not follow its own content type."""


class UploadTooLarge(RequestError):
    """The body is larger than what is read."""

    def __init__(self, max_upload_bytes: int) -> None:
        super().__init__(f"The body is larger than {max_upload_bytes} bytes.")
        self.max_upload_bytes = max_upload_bytes

    @property
    def facts(self) -> Mapping[str, int | Sequence[str]]:
        """The limit."""
        return {"max_upload_bytes": self.max_upload_bytes}


class UploadTooSlow(RequestError):
    """The body does not arrive within the time it is given."""


class _Choice(RequestError):
    """The request names something that does not exist; what does is in `available`."""

    message: ClassVar[str]
    kind: ClassVar[str]

    def __init__(self, available: Sequence[str]) -> None:
        super().__init__(self.message)
        self.available = tuple(available)

    @property
    def facts(self) -> Mapping[str, int | Sequence[str]]:
        """What may be named instead."""
        return {f"available_{self.kind}": self.available}


class UnsupportedMediaType(_Choice):
    """The body is of a type that is not taken."""

    message = "A body of this content type is not taken."
    kind = "types"


class NotAcceptable(_Choice):
    """The caller accepts none of the types in which this can be answered."""

    message = "None of the types in the Accept header can be given."
    kind = "types"


class UnknownLayer(_Choice):
    """The model has no explainable layer of that name."""

    message = "The model has no layer of that name that can be explained."
    kind = "layers"


class UnknownClass(_Choice):
    """The model has no class of that name."""

    message = "The model has no class of that name."
    kind = "classes"


class NoScorecard(RequestError):
    """The model version has no scorecard."""


class AccessError(MammolensError):
    """The caller may not."""


class Unauthenticated(AccessError):
    """The caller gives no key or token, or none that is valid."""


class Forbidden(AccessError):
    """The caller lacks the scope."""


class Unavailable(MammolensError):
    """The service cannot answer now; the same request may be answered later, after `retry_after` seconds."""

    retry_after: int = 1


class NotReady(Unavailable):
    """The model is not loaded and checked yet."""


class Draining(Unavailable):
    """The service finishes what it has begun, and ends."""


class Busy(Unavailable):
    """The queue is full, or so long that the request could not be answered before its deadline.

    `retry_after`: seconds until those who are ahead now will have been answered. `reason`: `queue` or `deadline`.
    """

    def __init__(self, message: str, retry_after: int, reason: str) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.reason = reason


class KeysUnavailable(Unavailable):
    """The keys against which callers are checked cannot be read or fetched."""


class RateLimited(Unavailable):
    """The caller asks more often than is allowed; `retry_after`: the seconds until once more is."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeadlinePassed(Unavailable):
    """The request's deadline has passed."""


class Abandoned(Unavailable):
    """The caller closed the connection before there was an answer."""


class BundleError(MammolensError):
    """The model bundle cannot be served."""


class BundleMissing(BundleError):
    """There is no bundle at the given place."""


class BundleDamaged(BundleError):
    """A file of the bundle is absent, altered or unreadable, or a signature is missing."""


class BundleMismatch(BundleError):
    """The bundle loads but does not reproduce its own golden case."""
