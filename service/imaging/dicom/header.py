"""What a DICOM header says, as plain typed values: the image's identity, its size, and how its pixels are to be read.

A value of the wrong kind raises whatever it does in pydicom or Python; the caller stands at the edge.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID

from service.imaging.dicom.elements import PixelData, integer, items, numbers, read_elements, text
from service.imaging.dicom.greyscale import (
    Calibration,
    LookupTable,
    Storage,
    VoiFunction,
    VoiWindow,
)
from service.imaging.dicom.identity import KEYWORDS, ImageIdentity, read_identity

_PIXEL_KEYWORDS = [
    "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleSlope", "RescaleIntercept",
    "ModalityLUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "PresentationLUTShape",
]  # fmt: skip
# Overlays in the bits that pixels leave free, PS3.3 C.9.2.1.1, retired but met with
_OVERLAY_BIT_POSITIONS = [Tag(group, 0x0102) for group in range(0x6000, 0x6020, 2)]
_TAGS: list[BaseTag] = [*map(Tag, KEYWORDS), *map(Tag, _PIXEL_KEYWORDS), *_OVERLAY_BIT_POSITIONS]

_MIN_WIDTHS: dict[VoiFunction, float] = {"LINEAR": 1.0, "LINEAR_EXACT": 1e-9, "SIGMOID": 1e-9}
_MIN_SLOPE = 1e-12


@dataclass(frozen=True, slots=True)
class Header:
    """A file's image, described.

    `shape_contradicted`: Presentation LUT Shape and Photometric Interpretation differ on which end is white.
    `overlaid`: bits that pixels leave free hold overlays. `pixel_data`: as in the file, native or encapsulated.
    """

    identity: ImageIdentity
    samples: int
    photometric: str | None
    rows: int
    columns: int
    calibration: Calibration
    window: str | None
    shape_contradicted: bool
    overlaid: bool
    pixel_data: PixelData


def read_header(data: bytes, syntax: UID, start: int, most_bytes: int) -> Header | None:
    """The header of the dataset at `start`; None where there is no image in it."""
    dataset, pixel_data = read_elements(data, syntax, start, _TAGS, most_bytes)
    if pixel_data is None or "Rows" not in dataset or "Columns" not in dataset:
        return None
    voi, window = _voi(dataset)
    calibration = _calibration(dataset, voi)
    shapes = {"IDENTITY": False, "INVERSE": True}
    return Header(
        identity=read_identity(dataset),
        samples=integer(dataset, "SamplesPerPixel", 1),
        photometric=text(dataset, "PhotometricInterpretation"),
        rows=integer(dataset, "Rows"),
        columns=integer(dataset, "Columns"),
        calibration=calibration,
        window=window,
        shape_contradicted=shapes.get(
            text(dataset, "PresentationLUTShape") or "", calibration.inverted
        )
        != calibration.inverted,
        overlaid=any(
            int(dataset[tag].value or 0) > 0 for tag in _OVERLAY_BIT_POSITIONS if tag in dataset
        ),
        pixel_data=pixel_data,
    )


def _calibration(dataset: Dataset, voi: VoiWindow | LookupTable | None) -> Calibration:
    bits_allocated = integer(dataset, "BitsAllocated")
    bits_stored = integer(dataset, "BitsStored", bits_allocated)
    slope, intercept = (
        [*numbers(dataset, "RescaleSlope"), 1.0][0],
        [*numbers(dataset, "RescaleIntercept"), 0.0][0],
    )
    if abs(slope) < _MIN_SLOPE:
        raise ValueError("rescale slope")
    storage = Storage(
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=integer(dataset, "HighBit", bits_stored - 1),
        signed=integer(dataset, "PixelRepresentation", 0) == 1,
    )
    return Calibration(
        storage=storage,
        slope=slope,
        intercept=intercept,
        modality_lut=next(iter(_tables(dataset, "ModalityLUTSequence")), None),
        voi=voi,
        inverted=text(dataset, "PhotometricInterpretation") == "MONOCHROME1",
        padding=_padding(dataset, storage),
    )


def _padding(dataset: Dataset, storage: Storage) -> tuple[int, int] | None:
    """The first and last stored value of the padding; some writers give those of signed pixels as unsigned."""
    ends = numbers(dataset, "PixelPaddingValue")
    ends += numbers(dataset, "PixelPaddingRangeLimit") if ends else []
    if not ends:
        return None
    lowest, highest = storage.range
    wrap = 2**storage.bits_allocated
    stored = [
        int(end) - wrap
        if storage.signed and highest < end < wrap and end - wrap >= lowest
        else int(end)
        for end in ends
    ]
    return min(stored), max(stored)


def _voi(dataset: Dataset) -> tuple[VoiWindow | LookupTable | None, str | None]:
    """The VOI transform and its description: the first usable window, else the first table, else none."""
    centers, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    function = cast("VoiFunction", text(dataset, "VOILUTFunction") or "LINEAR")
    narrowest = _MIN_WIDTHS.get(function, np.inf)
    for number, (center, width) in enumerate(zip(centers, widths, strict=False), start=1):
        if width >= narrowest:
            return VoiWindow(center, width, function), f"{number} of {len(widths)}, {function}"
    if tables := _tables(dataset, "VOILUTSequence"):
        return tables[0], f"1 of {len(tables)}, table"
    return None, None


def _tables(dataset: Dataset, keyword: str) -> list[LookupTable]:
    _, little_endian = dataset.original_encoding
    return [_table(item, "<" if little_endian else ">") for item in items(dataset, keyword)]


def _table(item: Dataset, byte_order: str) -> LookupTable:
    size, first, bits = (int(number) for number in item.LUTDescriptor)
    size = (
        size or 2**16
    )  # PS3.3 C.11.1.1.1: 2 ** 16 does not fit into the element and is written as 0
    entries = item.LUTData
    if isinstance(entries, bytes):  # entries of 8 bits may be packed two to a word
        entries = np.frombuffer(
            entries, np.uint8 if len(entries) <= size + 1 else f"{byte_order}u2"
        )
    entries = np.atleast_1d(np.asarray(entries, np.int64))[:size]
    if entries.size < size or bits not in range(1, 17):
        raise ValueError("lookup table")
    return LookupTable(first, bits, entries)
