"""All errors as one tree, without HTTP. `service.api.problems` maps classes to status codes.

    MammolensError
    ├── AccessError
    │   ├── Forbidden
    │   └── Unauthenticated
    ├── BundleError
    │   ├── BundleDamaged
    │   │   └── BundleUnreadable
    │   ├── BundleMismatch
    │   ├── BundleMissing
    │   └── BundleUnloadable
    ├── ImageError
    │   ├── CorruptImage
    │   ├── EmptyImage
    │   ├── NoBreast
    │   ├── NotAMammogram
    │   │   └── Tomosynthesis
    │   ├── TooManyPixels
    │   ├── Undecodable
    │   │   └── ReaderKilled
    │   ├── UnsupportedFormat
    │   └── UnsupportedImage
    │       ├── ForProcessing
    │       ├── SeveralFrames
    │       └── UnsupportedSyntax
    ├── RequestError
    │   ├── MalformedUpload
    │   ├── MissingFile
    │   ├── NoScorecard
    │   ├── NotAcceptable
    │   ├── TooCostly
    │   ├── UnknownClass
    │   ├── UnknownLayer
    │   ├── UnsupportedCoding
    │   ├── UnsupportedMediaType
    │   ├── UploadTooLarge
    │   └── UploadTooSlow
    └── Unavailable
        ├── Abandoned
        ├── AuditUnavailable
        ├── Busy
        ├── DeadlinePassed
        ├── Draining
        ├── KeysUnavailable
        ├── NotReady
        └── RateLimited

Library exceptions become one of these where they arise, `from` their cause. A message never repeats
content of a file's header or pixels, beyond the name of the format, syntax or modality: it may be
logged and is sent to the caller.
"""

from service.errors.access_errors import AccessError, Forbidden, Unauthenticated
from service.errors.availability import (
    Abandoned,
    AuditUnavailable,
    Busy,
    DeadlinePassed,
    Draining,
    KeysUnavailable,
    NotReady,
    RateLimited,
    Unavailable,
)
from service.errors.base import MammolensError
from service.errors.bundle_errors import (
    BundleDamaged,
    BundleError,
    BundleMismatch,
    BundleMissing,
    BundleUnloadable,
    BundleUnreadable,
)
from service.errors.image_errors import (
    CorruptImage,
    EmptyImage,
    ForProcessing,
    ImageError,
    NoBreast,
    NotAMammogram,
    ReaderKilled,
    SeveralFrames,
    Tomosynthesis,
    TooManyPixels,
    Undecodable,
    UnsupportedFormat,
    UnsupportedImage,
    UnsupportedSyntax,
)
from service.errors.request_errors import (
    MalformedUpload,
    MissingFile,
    NoScorecard,
    NotAcceptable,
    RequestError,
    TooCostly,
    UnknownClass,
    UnknownLayer,
    UnsupportedCoding,
    UnsupportedMediaType,
    UploadTooLarge,
    UploadTooSlow,
)

__all__ = [
    "Abandoned",
    "AccessError",
    "AuditUnavailable",
    "BundleDamaged",
    "BundleError",
    "BundleMismatch",
    "BundleMissing",
    "BundleUnloadable",
    "BundleUnreadable",
    "Busy",
    "CorruptImage",
    "DeadlinePassed",
    "Draining",
    "EmptyImage",
    "ForProcessing",
    "Forbidden",
    "ImageError",
    "KeysUnavailable",
    "MalformedUpload",
    "MammolensError",
    "MissingFile",
    "NoBreast",
    "NoScorecard",
    "NotAMammogram",
    "NotAcceptable",
    "NotReady",
    "RateLimited",
    "ReaderKilled",
    "RequestError",
    "SeveralFrames",
    "Tomosynthesis",
    "TooCostly",
    "TooManyPixels",
    "Unauthenticated",
    "Unavailable",
    "Undecodable",
    "UnknownClass",
    "UnknownLayer",
    "UnsupportedCoding",
    "UnsupportedFormat",
    "UnsupportedImage",
    "UnsupportedMediaType",
    "UnsupportedSyntax",
    "UploadTooLarge",
    "UploadTooSlow",
]
