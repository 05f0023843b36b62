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
    │   ├── BundleUnloadable
    │   └── GraphsMissing
    ├── ImageError
    │   ├── CorruptImage
    │   ├── EmptyImage
    │   ├── NoBreast
    │   ├── NotAMammogram
    │   │   └── Tomosynthesis
    │   ├── NotStorable
    │   ├── TooManyPixels
    │   ├── Undecodable
    │   │   └── ReaderKilled
    │   ├── UnsupportedFormat
    │   └── UnsupportedImage
    │       ├── ForProcessing
    │       ├── SeveralFrames
    │       └── UnsupportedSyntax
    ├── RequestError
    │   ├── DecidedNegative
    │   ├── ImagesRefused
    │   ├── InvalidInference
    │   ├── MalformedUpload
    │   ├── MissingFile
    │   ├── MixedExam
    │   ├── NoImageAnswered
    │   ├── NoObject
    │   ├── NoRegion
    │   ├── NoScorecard
    │   ├── NotAcceptable
    │   ├── NotFitted
    │   ├── ObjectsTooLarge
    │   ├── TooCostly
    │   ├── TooManyImages
    │   ├── UnknownClass
    │   ├── UnknownLayer
    │   ├── UnknownModel
    │   ├── UnsupportedCoding
    │   ├── UnsupportedMediaType
    │   ├── UploadTooLarge
    │   │   ├── ExamTooLarge
    │   │   └── JsonTooLarge
    │   └── UploadTooSlow
    ├── ScoringError
    │   ├── EngineFailed
    │   ├── EngineMissing
    │   ├── FileTooLarge
    │   ├── OtherModel
    │   ├── OtherScoring
    │   ├── ScoringBusy
    │   ├── SourceRefused
    │   └── UnreadableFile
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
    GraphsMissing,
)
from service.errors.exam_errors import ImagesRefused, MixedExam, NoImageAnswered
from service.errors.image_errors import (
    CorruptImage,
    EmptyImage,
    ForProcessing,
    ImageError,
    NoBreast,
    NotAMammogram,
    NotStorable,
    ReaderKilled,
    SeveralFrames,
    Tomosynthesis,
    TooManyPixels,
    Undecodable,
    UnsupportedFormat,
    UnsupportedImage,
    UnsupportedSyntax,
)
from service.errors.object_errors import (
    DecidedNegative,
    NoObject,
    NoRegion,
    ObjectsTooLarge,
)
from service.errors.request_errors import (
    ExamTooLarge,
    InvalidInference,
    JsonTooLarge,
    MalformedUpload,
    MissingFile,
    NoScorecard,
    NotAcceptable,
    NotFitted,
    RequestError,
    TooCostly,
    TooManyImages,
    UnknownClass,
    UnknownLayer,
    UnknownModel,
    UnsupportedCoding,
    UnsupportedMediaType,
    UploadTooLarge,
    UploadTooSlow,
)
from service.errors.scoring_errors import (
    EngineFailed,
    EngineMissing,
    FileTooLarge,
    OtherModel,
    OtherScoring,
    ScoringBusy,
    ScoringError,
    SourceRefused,
    UnreadableFile,
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
    "DecidedNegative",
    "Draining",
    "EmptyImage",
    "EngineFailed",
    "EngineMissing",
    "ExamTooLarge",
    "FileTooLarge",
    "ForProcessing",
    "Forbidden",
    "GraphsMissing",
    "ImageError",
    "ImagesRefused",
    "InvalidInference",
    "JsonTooLarge",
    "KeysUnavailable",
    "MalformedUpload",
    "MammolensError",
    "MissingFile",
    "MixedExam",
    "NoBreast",
    "NoImageAnswered",
    "NoObject",
    "NoRegion",
    "NoScorecard",
    "NotAMammogram",
    "NotAcceptable",
    "NotFitted",
    "NotReady",
    "NotStorable",
    "ObjectsTooLarge",
    "OtherModel",
    "OtherScoring",
    "RateLimited",
    "ReaderKilled",
    "RequestError",
    "ScoringBusy",
    "ScoringError",
    "SeveralFrames",
    "SourceRefused",
    "Tomosynthesis",
    "TooCostly",
    "TooManyImages",
    "TooManyPixels",
    "Unauthenticated",
    "Unavailable",
    "Undecodable",
    "UnknownClass",
    "UnknownLayer",
    "UnknownModel",
    "UnreadableFile",
    "UnsupportedCoding",
    "UnsupportedFormat",
    "UnsupportedImage",
    "UnsupportedMediaType",
    "UnsupportedSyntax",
    "UploadTooLarge",
    "UploadTooSlow",
]
