"""Image files to model input: `read` decodes a mammogram and fits it to the model's grid."""

from service.imaging.breast.fitting import fit
from service.imaging.decoding import decode
from service.imaging.dicom.opening import has_prefix
from service.imaging.dicom.source_header import OBJECT_TAGS, FileOrigin
from service.imaging.fitted_reading import read_fitted
from service.imaging.limits import Limits
from service.imaging.named_facts import NamingReader
from service.imaging.reading import IMAGING_VERSION, PictureTask, Read, Reading, ReadTask, read
from service.imaging.sample_reading import SamplesTask, pack
from service.imaging.source_reading import (
    FileTask,
    OriginTask,
    ReadSourceTask,
    RunTask,
    SourceReading,
    run_task,
)

__all__ = [
    "IMAGING_VERSION",
    "OBJECT_TAGS",
    "FileOrigin",
    "FileTask",
    "Limits",
    "NamingReader",
    "OriginTask",
    "PictureTask",
    "Read",
    "ReadSourceTask",
    "ReadTask",
    "Reading",
    "RunTask",
    "SamplesTask",
    "SourceReading",
    "decode",
    "fit",
    "has_prefix",
    "pack",
    "read",
    "read_fitted",
    "run_task",
]
