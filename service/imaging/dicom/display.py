"""Display stored values: look up their grey values, after the pixels have confirmed the header.

The pixels overrule the header in two cases: the image is displayed as a negative, or its window
shows nothing of the breast. Both are judged on a view of every few pixels.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from service.imaging.dicom.acceptance import (
    LUT_CONTRADICTED,
    NO_WINDOW,
    SHAPE_CONTRADICTED,
    WINDOW_UNUSABLE,
)
from service.imaging.dicom.greyscale import Calibration, Counts, LookupTable
from service.imaging.dicom.header import Header
from service.imaging.dicom.overshoot import Patterns
from service.imaging.polarity import INVERTED, is_negative
from service.records import WHITE, Mask, Pixels, QualityWarning

# Max long edge of the view of the pixels that is examined.
_LONG_EDGE = 640
# Share of the way from the grey of the dark pixels to that of the bright ones: brighter pixels
# count as tissue.
_TISSUE_SHARE = 0.2
# Shares of white: a pixel that is displayed beyond them shows nothing.
_MIN_VISIBLE = 0.1
_MAX_VISIBLE = 0.98
# Min share of the tissue that a usable window shows.
_MIN_SHOWN = 0.1


@dataclass(frozen=True, slots=True)
class Display:
    """An image as displayed. `signal` and `window` as in Mammogram and ImageFacts."""

    pixels: Pixels
    signal: Pixels | None
    window: str | None
    warnings: tuple[QualityWarning, ...]


def display(patterns: Patterns, header: Header) -> Display:
    """Display the patterns, which may be overwritten."""
    # A view of every few pixels, and the number of pixels of each pattern.
    calibration = header.calibration
    is_byte = calibration.storage.bits_allocated == 8  # noqa: PLR2004 - a byte
    patterns = patterns.astype(np.uint8 if is_byte else np.uint16, copy=False)
    step = max(1, max(patterns.shape) // _LONG_EDGE)
    view = patterns[::step, ::step]
    counts = _count(patterns, 2**calibration.storage.bits_allocated)

    # Polarity, and the transforms that can be used.
    calibration, is_inverted = _upright(calibration, view, counts)
    usable = _usable(calibration, view, counts)

    # The signal first, because the pixels take the memory of the patterns.
    signal = None if usable.voi is None else cv2.LUT(patterns, usable.signal_table(counts))
    return Display(
        pixels=_look_up(patterns, usable.display_table(counts)),
        signal=None if signal is None else np.asarray(signal, np.uint16),
        window=None if usable.voi is None else header.window,
        warnings=_warnings(header, usable, is_inverted=is_inverted),
    )


def _count(patterns: Patterns, pattern_count: int) -> Counts:
    counts = cv2.calcHist([patterns], [0], None, [pattern_count], [0, pattern_count])
    return np.asarray(counts.ravel() > 0, np.uint8)


def _upright(calibration: Calibration, view: Patterns, counts: Counts) -> tuple[Calibration, bool]:
    """Return the calibration with black air, and whether it had to be inverted."""
    padding = calibration.padding_table()[view]
    if not is_negative(calibration.signal_table(counts)[view], padding if padding.any() else None):
        return calibration, False
    return replace(calibration, inverted=not calibration.inverted), True


def _usable(calibration: Calibration, view: Patterns, counts: Counts) -> Calibration:
    """Return the calibration, without its VOI transform if that shows nothing of the breast."""
    if calibration.voi is None:
        return calibration

    kept = view[~calibration.padding_table()[view]]
    signal = calibration.signal_table(counts)[kept]
    shown = calibration.display_table(counts)[kept]

    tissue = _is_tissue(signal)
    visible = (shown > _MIN_VISIBLE * WHITE) & (shown < _MAX_VISIBLE * WHITE)
    if not tissue.any() or visible[tissue].mean() >= _MIN_SHOWN:
        return calibration
    return replace(calibration, voi=None)


def _is_tissue(signal: Pixels) -> Mask:
    """Tell which grey values are clearly brighter than the dark ones, by Otsu's threshold."""
    grey = (signal >> 8).astype(np.uint8)
    if not grey.size:
        return np.zeros(signal.shape, bool)

    threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    is_bright = grey > threshold
    if not is_bright.any():
        return is_bright

    dark_level = np.median(signal[~is_bright])
    bright_level = np.median(signal[is_bright])
    return np.asarray(signal > dark_level + _TISSUE_SHARE * (bright_level - dark_level))


def _warnings(
    header: Header, usable: Calibration, *, is_inverted: bool
) -> tuple[QualityWarning, ...]:
    """Return the warnings on the transforms.

    `usable`: the calibration that was used. `is_inverted`: not the polarity of the header.
    """
    voi = header.calibration.voi
    tables = [header.calibration.modality_lut, usable.voi]
    applies = {
        NO_WINDOW: voi is None,
        WINDOW_UNUSABLE: voi is not usable.voi,
        LUT_CONTRADICTED: any(
            table.is_contradicted for table in tables if isinstance(table, LookupTable)
        ),
        SHAPE_CONTRADICTED: header.shape_contradicted,
        INVERTED: is_inverted and not header.shape_contradicted,
    }
    return tuple(warning for warning, condition in applies.items() if condition)


def _look_up(patterns: Patterns, table: Pixels) -> Pixels:
    """Look up the grey value of each pattern.

    The result takes the memory of the patterns if it fits, because allocating memory takes as long
    as the lookup.
    """
    is_reusable = patterns.flags.writeable and patterns.dtype == table.dtype
    return np.asarray(cv2.LUT(patterns, table, dst=patterns if is_reusable else None), np.uint16)
