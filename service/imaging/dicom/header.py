"""Read the elements on which the pixels of a DICOM image depend: size, format and transforms.

A window or VOI LUT that cannot be read is skipped. Other values on which pixels depend are refused
by name, unless the standard leaves a mammogram only one value.
"""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from pydicom.tag import Tag

from service.errors import CorruptImage, UnsupportedImage
from service.imaging.dicom.dataset_file import PixelData
from service.imaging.dicom.elements import Elements, unreadable
from service.imaging.dicom.greyscale import (
    Calibration,
    LookupTable,
    Storage,
    VoiWindow,
)
from service.imaging.dicom.identity import KEYWORDS, TAGS, ImageIdentity
from service.imaging.dicom.lookup_tables import read_tables
from service.imaging.dicom.values import read_numbers
from service.imaging.dicom.windows import read_windows

PIXEL_KEYWORDS = [
    "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PixelPaddingValue", "PixelPaddingRangeLimit",
    "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence",
    "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "PresentationLUTShape",
]  # fmt: skip
"""Elements on which the pixels depend."""

# The name of each window. No pixel depends on it.
WINDOW_NAMES = "WindowCenterWidthExplanation"
# Overlays in the unused bits of pixels (PS3.3 C.9.2.1.1): retired, but still in use.
_OVERLAY_BIT_POSITIONS = [Tag(group, 0x0102) for group in range(0x6000, 0x6020, 2)]
HEADER_TAGS: Collection[int] = {
    *map(Tag, KEYWORDS),
    *TAGS,
    *map(Tag, PIXEL_KEYWORDS),
    Tag(WINDOW_NAMES),
    *_OVERLAY_BIT_POSITIONS,
}
"""All elements that are read."""

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


def read_header(elements: Elements, identity: ImageIdentity, pixel_data: PixelData) -> Header:
    """Read the header of an image.

    Raises:
        CorruptImage: a value on which the pixels depend is missing or cannot be read.
    """
    photometric = (elements.text("PhotometricInterpretation") or "").replace(" ", "") or None
    calibration, window = _calibration(elements, identity, inverted=photometric == "MONOCHROME1")

    # Whether Presentation LUT Shape inverts. A missing or unknown shape contradicts nothing.
    inverting_shapes = {"IDENTITY": False, "INVERSE": True}
    shape = elements.text("PresentationLUTShape") or ""
    shape_inverts = inverting_shapes.get(shape, calibration.inverted)

    return Header(
        identity=identity,
        samples=int(_prescribed(elements, identity, "SamplesPerPixel", 1)),
        photometric=photometric,
        rows=elements.integer("Rows"),
        columns=elements.integer("Columns"),
        calibration=calibration,
        window=window,
        shape_contradicted=shape_inverts != calibration.inverted,
        overlaid=_is_overlaid(elements),
        pixel_data=pixel_data,
    )


def _is_overlaid(elements: Elements) -> bool:
    overlays = [elements.element(tag) for tag in _OVERLAY_BIT_POSITIONS]
    positions = [read_numbers(overlay) for overlay in overlays if overlay]
    return any((position or 0) > 0 for values in positions for position in values)


def _calibration(
    elements: Elements, identity: ImageIdentity, *, inverted: bool
) -> tuple[Calibration, str | None]:
    """Read the transforms from stored to displayed grey values, and describe the VOI transform."""
    storage = _storage(elements, identity)

    # Modality transform.
    slope = _prescribed(elements, identity, "RescaleSlope", 1.0, _is_slope)
    intercept = _prescribed(elements, identity, "RescaleIntercept", 0.0, math.isfinite)
    modality_luts = read_tables(elements, "ModalityLUTSequence", storage.range)
    modality_lut = next(iter(modality_luts), None)
    if modality_luts and modality_lut is None:
        raise unreadable("ModalityLUTSequence")
    calibration = Calibration(
        storage=storage,
        slope=slope,
        intercept=intercept,
        modality_lut=modality_lut,
        voi=None,
        inverted=inverted,
        padding=_padding(elements, storage),
    )

    voi, window = _voi(elements, calibration.value_range)
    return replace(calibration, voi=voi), window


def _storage(elements: Elements, identity: ImageIdentity) -> Storage:
    """Read the format of stored values, which must not contradict itself."""
    bits_allocated = elements.integer("BitsAllocated")
    bits_stored = elements.integer("BitsStored", bits_allocated)
    high_bit = _prescribed(elements, identity, "HighBit", bits_stored - 1)
    representation = _prescribed(elements, identity, "PixelRepresentation", 0)

    if bits_allocated not in {8, 16}:
        raise UnsupportedImage("The image does not have 8 or 16 bits allocated per pixel.")
    if not 1 <= bits_stored <= high_bit + 1 <= bits_allocated:
        raise CorruptImage(
            "The DICOM file contradicts itself: bits stored, high bit and bits allocated do not "
            "match."
        )
    return Storage(bits_allocated, bits_stored, int(high_bit), signed=representation == 1)


def _prescribed(
    elements: Elements,
    identity: ImageIdentity,
    keyword: str,
    prescribed: float,
    is_possible: Callable[[float], bool] = float.is_integer,
) -> float:
    """Return a number for which the standard prescribes a value in mammograms (PS3.3 C.8.11.3).

    That value replaces one that is missing, or that cannot be read in a mammogram.

    Raises:
        CorruptImage: the number cannot be read in an image of another class.
    """
    values = elements.numbers(keyword)
    match values:
        case []:
            return prescribed
        case [float(number)] if is_possible(number):
            return number
    if not identity.in_mammography_class:
        raise unreadable(keyword)
    elements.mark(keyword)
    return prescribed


def _is_slope(number: float) -> bool:
    return abs(number) >= _MIN_SLOPE


def _padding(elements: Elements, storage: Storage) -> tuple[int, int] | None:
    """Return the first and last stored value of the padding, None if there is none."""
    value = elements.number("PixelPaddingValue")
    limit = elements.number("PixelPaddingRangeLimit")
    if value is None:
        return None

    # Some writers give the padding of signed pixels as unsigned numbers, and the reverse.
    lowest, highest = storage.range
    wrap = 2**storage.bits_allocated
    stored = []
    for end in (value, value if limit is None else limit):
        candidates = (int(end), int(end) - wrap, int(end) + wrap)
        possible = (number for number in candidates if lowest <= number <= highest)
        stored.append(next(possible, int(end)))
    return min(stored), max(stored)


def _voi(
    elements: Elements, inputs: tuple[float, float]
) -> tuple[VoiWindow | LookupTable | None, str | None]:
    """Return the VOI transform and its description.

    It is the first usable window. Without one it is the first usable table, and without a table
    None. `inputs`: the range of the modality transform.
    """
    windows = read_windows(elements)
    for number, window in enumerate(windows, start=1):
        if window is not None:
            return window, f"{number} of {len(windows)}, {window.function}"

    tables = read_tables(elements, "VOILUTSequence", inputs)
    for number, table in enumerate(tables, start=1):
        if table is not None:
            return table, f"{number} of {len(tables)}, table"
    return None, None
