"""Image files to model input: `read` decodes a mammogram and fits it to the model's grid."""

from service.imaging.breast.fitting import fit
from service.imaging.decoding import decode
from service.imaging.limits import Limits
from service.imaging.named_facts import NamingReader
from service.imaging.reading import IMAGING_VERSION, Read, Reading, ReadTask, read

__all__ = [
    "IMAGING_VERSION",
    "Limits",
    "NamingReader",
    "Read",
    "ReadTask",
    "Reading",
    "decode",
    "fit",
    "read",
]
