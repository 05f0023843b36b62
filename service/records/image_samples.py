"""Samples of a mammogram before the VOI transform, and the transforms that display them."""

from dataclasses import dataclass, field
from typing import Literal

from service.geometry import IDENTITY, Affine
from service.records.arrays import Pixels

PresetFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID", "TABLE"]


@dataclass(frozen=True, slots=True)
class VoiTable:
    """A table from values to grey (PS3.3 C.11.2.1.1).

    `entries`: uint16, little endian, for the values from `first` on. `maximum`: the entry that is
    white.
    """

    first: int
    maximum: int
    entries: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VoiPreset:
    """A VOI transform: a window, or the table of the function `TABLE`.

    `name`: a known term by which the file explains it, else None.
    """

    name: str | None
    function: PresetFunction
    center: float | None
    width: float | None
    table: VoiTable | None


@dataclass(frozen=True, slots=True)
class SampleMeaning:
    """The meaning of samples, and how they are displayed.

    The value after the modality transform is slope * sample + intercept. `lowest`, `highest`: the
    range of the values that occur, without padding. `padding`: first and last sample of the pixels
    that fill up the image, which are black. `inverted`: black and white are exchanged after the VOI
    transform. `presets`: the transform that the service itself uses, then others of the file.
    """

    slope: float
    intercept: float
    lowest: float
    highest: float
    padding: tuple[int, int] | None
    inverted: bool
    presets: tuple[VoiPreset, ...]


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples [rows, columns]. `to_source`: from their grid to the file's pixels."""

    values: Pixels
    meaning: SampleMeaning
    to_source: Affine = IDENTITY


@dataclass(frozen=True, slots=True)
class PackedSamples:
    """Samples as bytes: uint16, little endian, row by row, compressed by gzip."""

    content: bytes = field(repr=False)
    rows: int
    columns: int
    to_source: Affine
    meaning: SampleMeaning
