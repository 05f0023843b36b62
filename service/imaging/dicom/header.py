"""Read a DICOM header into typed values: the image's identity, its size, and its pixel format.

A value of the wrong type raises the exception of pydicom or Python. Callers turn it into
CorruptImage; see `service.imaging.library_errors`.
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
    "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PixelPaddingValue", "PixelPaddingRangeLimit",
    "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence",
    "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "PresentationLUTShape",
]  # fmt: skip
# Overlays in the unused bits of pixels (PS3.3 C.9.2.1.1): retired, but still in use.
_OVERLAY_BIT_POSITIONS = [Tag(group, 0x0102) for group in range(0x6000, 0x6020, 2)]
_TAGS: list[BaseTag] = [*map(Tag, KEYWORDS), *map(Tag, _PIXEL_KEYWORDS), *_OVERLAY_BIT_POSITIONS]

# Windows that are narrower are skipped.
_MIN_WIDTHS: dict[VoiFunction, float] = {"LINEAR": 1.0, "LINEAR_EXACT": 1e-9, "SIGMOID": 1e-9}
_MIN_SLOPE = 1e-12


@dataclass(frozen=True, slots=True)
class Header:
    """Header of an image.

    `window`: description of the VOI transform, None without one. `shape_contradicted`: Presentation
    LUT Shape and Photometric Interpretation disagree on which end is white. `overlaid`: the unused
    bits of pixels hold overlays. `pixel_data`: as in the file, native or encapsulated.
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


def read_header(data: bytes, syntax: UID, start: int, max_bytes: int) -> Header | None:
    """Read the header of the dataset at `start`. Return None if the dataset has no image.

    `max_bytes`: limit for the size of a deflated dataset when inflated.
    """
    dataset, pixel_data = read_elements(data, syntax, start, _TAGS, max_bytes)
    if pixel_data is None or "Rows" not in dataset or "Columns" not in dataset:
        return None

    voi, window = _voi(dataset)
    calibration = _calibration(dataset, voi)

    # Whether Presentation LUT Shape inverts. A missing or unknown shape contradicts nothing.
    inverting_shapes = {"IDENTITY": False, "INVERSE": True}
    shape = text(dataset, "PresentationLUTShape") or ""
    shape_inverts = inverting_shapes.get(shape, calibration.inverted)

    return Header(
        identity=read_identity(dataset),
        samples=integer(dataset, "SamplesPerPixel", 1),
        photometric=text(dataset, "PhotometricInterpretation"),
        rows=integer(dataset, "Rows"),
        columns=integer(dataset, "Columns"),
        calibration=calibration,
        window=window,
        shape_contradicted=shape_inverts != calibration.inverted,
        overlaid=any(
            int(dataset[tag].value or 0) > 0 for tag in _OVERLAY_BIT_POSITIONS if tag in dataset
        ),
        pixel_data=pixel_data,
    )


def _calibration(dataset: Dataset, voi: VoiWindow | LookupTable | None) -> Calibration:
    """Read the transforms from stored to displayed grey values."""
    bits_allocated = integer(dataset, "BitsAllocated")
    bits_stored = integer(dataset, "BitsStored", bits_allocated)

    slope = [*numbers(dataset, "RescaleSlope"), 1.0][0]
    intercept = [*numbers(dataset, "RescaleIntercept"), 0.0][0]
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
    """Return the first and last stored value of the padding, None if there is none."""
    ends = numbers(dataset, "PixelPaddingValue")
    ends += numbers(dataset, "PixelPaddingRangeLimit") if ends else []
    if not ends:
        return None

    # Some writers give the padding of signed pixels as unsigned numbers.
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
    """Return the VOI transform and its description.

    It is the first usable window. Without one it is the first table, and without a table None.
    """
    centers = numbers(dataset, "WindowCenter")
    widths = numbers(dataset, "WindowWidth")
    function = cast("VoiFunction", text(dataset, "VOILUTFunction") or "LINEAR")

    # A window with an unknown function is never usable.
    min_width = _MIN_WIDTHS.get(function, np.inf)
    for number, (center, width) in enumerate(zip(centers, widths, strict=False), start=1):
        if width >= min_width:
            return VoiWindow(center, width, function), f"{number} of {len(widths)}, {function}"

    if tables := _tables(dataset, "VOILUTSequence"):
        return tables[0], f"1 of {len(tables)}, table"
    return None, None


def _tables(dataset: Dataset, keyword: str) -> list[LookupTable]:
    """Read the lookup tables of a sequence."""
    _, little_endian = dataset.original_encoding
    return [_table(item, "<" if little_endian else ">") for item in items(dataset, keyword)]


def _table(item: Dataset, byte_order: str) -> LookupTable:
    """Read a lookup table from an item of a LUT sequence."""
    size, first, bits = (int(number) for number in item.LUTDescriptor)
    # 2 ** 16 does not fit into the element and is written as 0 (PS3.3 C.11.1.1.1).
    size = size or 2**16

    # Entries of 8 bits may be packed, two to a word.
    entries = item.LUTData
    if isinstance(entries, bytes):
        word = np.uint8 if len(entries) <= size + 1 else f"{byte_order}u2"
        entries = np.frombuffer(entries, word)

    entries = np.atleast_1d(np.asarray(entries, np.int64))[:size]
    if entries.size < size or bits not in range(1, 17):
        raise ValueError("lookup table")
    return LookupTable(first, bits, entries)
