"""What a DICOM header says, as plain typed values: the only place where pydicom's elements are read.

No element is kept that is not named here: nothing that identifies a person is, except the image's own UID. A value of
the wrong kind raises whatever it does in pydicom or Python; the caller stands at the edge.
"""

import re
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

import numpy as np
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_preamble
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from service.imaging.calibration import Calibration, LookupTable, Storage, VoiFunction, Window
from service.results import Laterality

_KEYWORDS = """
    SOPClassUID SOPInstanceUID Modality PresentationIntentType
    ImageLaterality Laterality ViewPosition ImagerPixelSpacing PixelSpacing
    SamplesPerPixel PhotometricInterpretation NumberOfFrames Rows Columns
    BitsAllocated BitsStored HighBit PixelRepresentation PixelPaddingValue PixelPaddingRangeLimit
    RescaleSlope RescaleIntercept ModalityLUTSequence
    WindowCenter WindowWidth VOILUTFunction VOILUTSequence
    PixelData
"""
_TAGS: list[BaseTag | int] = [Tag(keyword) for keyword in _KEYWORDS.split()]
_FILE_META = 0x0002

# PS3.3 C.8.11.7.1.1. A value that is none of them may be anything, a name too.
_VIEWS = {"CC", "MLO", "ML", "LM", "LMO", "SIO", "ISO", "XCC", "XCCL", "XCCM", "FB", "CV", "AT", "SPECIMEN"}

_LATERALITIES: dict[str | None, Laterality] = {"L": "L", "R": "R"}
_NARROWEST: dict[VoiFunction, float] = {"LINEAR": 1.0, "LINEAR_EXACT": 1e-9, "SIGMOID": 1e-9}
_LARGEST = 1e12  # a number beyond it is damage, and leaves float64 too few digits for grey values


@dataclass(frozen=True, slots=True)
class Header:
    """A file's image, described. `pixel_data`: as in the file, native or encapsulated."""

    sop_class: UID | None
    sop_instance_uid: str | None
    modality: str | None
    for_processing: bool
    laterality: Laterality | None
    view: str | None
    pixel_spacing_mm: tuple[float, float] | None
    samples: int
    frames: int
    photometric: str | None
    rows: int
    columns: int
    calibration: Calibration
    window: str | None
    pixel_data: bytes


def read_syntax(stream: BytesIO) -> UID:
    """The transfer syntax, guessed where the file does not say; leaves the stream at the start of the dataset."""
    read_preamble(stream, force=True)
    meta = read_dataset(
        stream,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _vr, _length: tag.group != _FILE_META,
    )
    if syntax := _text(meta, "TransferSyntaxUID"):
        return UID(syntax)
    start = stream.tell()
    _tag, vr = stream.read(4), stream.read(2)
    stream.seek(start)
    return ExplicitVRLittleEndian if re.fullmatch(rb"[A-Z]{2}", vr) else ImplicitVRLittleEndian


def read_header(stream: BytesIO, syntax: UID) -> Header | None:
    """The header of the dataset at the stream's position; None where there is no image in it."""
    dataset = read_dataset(stream, syntax.is_implicit_VR, syntax.is_little_endian, specific_tags=_TAGS)
    if not all(keyword in dataset for keyword in ("Rows", "Columns", "PixelData")):
        return None
    sop_class, sop_instance, view = (
        _text(dataset, keyword) for keyword in ("SOPClassUID", "SOPInstanceUID", "ViewPosition")
    )
    voi, window = _voi(dataset)
    if not isinstance(dataset.PixelData, bytes):
        raise TypeError("pixel data")
    return Header(
        sop_class=UID(sop_class) if sop_class else None,
        sop_instance_uid=sop_instance if sop_instance and re.fullmatch(r"[\d.]{1,64}", sop_instance) else None,
        modality=_text(dataset, "Modality"),
        for_processing=_text(dataset, "PresentationIntentType") == "FOR PROCESSING",
        laterality=_LATERALITIES.get(_text(dataset, "ImageLaterality") or _text(dataset, "Laterality")),
        view=view if view in _VIEWS else None,
        pixel_spacing_mm=_spacing(dataset),
        samples=_integer(dataset, "SamplesPerPixel", 1),
        frames=_integer(dataset, "NumberOfFrames", 1),
        photometric=_text(dataset, "PhotometricInterpretation"),
        rows=_integer(dataset, "Rows"),
        columns=_integer(dataset, "Columns"),
        calibration=_calibration(dataset, voi),
        window=window,
        pixel_data=dataset.PixelData,
    )


def _calibration(dataset: Dataset, voi: Window | LookupTable | None) -> Calibration:
    bits_allocated = _integer(dataset, "BitsAllocated")
    bits_stored = _integer(dataset, "BitsStored", bits_allocated)
    slope, intercept = [*_numbers(dataset, "RescaleSlope"), 1.0][0], [*_numbers(dataset, "RescaleIntercept"), 0.0][0]
    if abs(slope) < 1 / _LARGEST:
        raise ValueError("rescale slope")
    padding = _numbers(dataset, "PixelPaddingValue")
    padding += _numbers(dataset, "PixelPaddingRangeLimit") if padding else []
    return Calibration(
        storage=Storage(
            bits_allocated=bits_allocated,
            bits_stored=bits_stored,
            high_bit=_integer(dataset, "HighBit", bits_stored - 1),
            signed=_integer(dataset, "PixelRepresentation", 0) == 1,
        ),
        slope=slope,
        intercept=intercept,
        modality_lut=next(iter(_tables(dataset, "ModalityLUTSequence")), None),
        voi=voi,
        inverted=_text(dataset, "PhotometricInterpretation") == "MONOCHROME1",
        padding=(int(min(padding)), int(max(padding))) if padding else None,
    )


def _voi(dataset: Dataset) -> tuple[Window | LookupTable | None, str | None]:
    """The VOI transform and its description: the first usable window, else the first table, else none."""
    centers, widths = _numbers(dataset, "WindowCenter"), _numbers(dataset, "WindowWidth")
    function = cast("VoiFunction", _text(dataset, "VOILUTFunction") or "LINEAR")
    narrowest = _NARROWEST.get(function, np.inf)
    for number, (center, width) in enumerate(zip(centers, widths, strict=False), start=1):
        if width >= narrowest:
            return Window(center, width, function), f"{number} of {len(widths)}, {function}"
    if tables := _tables(dataset, "VOILUTSequence"):
        return tables[0], f"1 of {len(tables)}, table"
    return None, None


def _tables(dataset: Dataset, keyword: str) -> list[LookupTable]:
    _, little_endian = dataset.original_encoding
    return [_table(item, "<" if little_endian else ">") for item in dataset.get(keyword) or []]


def _table(item: Dataset, byte_order: str) -> LookupTable:
    size, first, bits = (int(number) for number in item.LUTDescriptor)
    size = size or 2**16  # PS3.3 C.11.1.1.1: 2 ** 16 does not fit into the element and is written as 0
    entries = item.LUTData
    if isinstance(entries, bytes):  # entries of 8 bits may be packed two to a word
        entries = np.frombuffer(entries, np.uint8 if len(entries) <= size + 1 else f"{byte_order}u2")
    entries = np.atleast_1d(np.asarray(entries, np.int64))[:size]
    if entries.size < size or bits not in range(1, 17):
        raise ValueError("lookup table")
    return LookupTable(first, bits, entries)


def _spacing(dataset: Dataset) -> tuple[float, float] | None:
    """Millimetres between rows and between columns, at the detector where that is known."""
    for keyword in ("ImagerPixelSpacing", "PixelSpacing"):
        match _numbers(dataset, keyword):
            case [row, column] if row > 0 and column > 0:
                return row, column
    return None


def _text(dataset: Dataset, keyword: str) -> str | None:
    """An element's value in capitals; None where it is absent or empty."""
    return str(dataset.get(keyword) or "").strip().upper() or None


def _numbers(dataset: Dataset, keyword: str) -> list[float]:
    """An element's values; none where it is absent or empty."""
    value: Any = dataset.get(keyword)
    if value is None or value == "":
        return []
    numbers = [float(number) for number in (value if isinstance(value, list | MultiValue) else [value])]
    if not all(abs(number) <= _LARGEST for number in numbers):
        raise ValueError(keyword)
    return numbers


def _integer(dataset: Dataset, keyword: str, default: int | None = None) -> int:
    """An element's value, or the default where it is absent or empty; ValueError without either, or for several."""
    numbers = _numbers(dataset, keyword)
    if not numbers and default is not None:
        return default
    (number,) = numbers
    return int(number)
