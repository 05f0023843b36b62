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
from service.imaging.grey_counts import ValueCounts, count_values, percentile
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


@dataclass(frozen=True, slots=True)
class Judged:
    """Bit patterns, and the transforms that the pixels have confirmed.

    `view_counts`: of the view that was examined. `counts`: positive for each pattern that occurs.
    `calibration`: without a VOI transform if that of the file shows nothing. `is_inverted`: not the
    polarity of the header.
    """

    patterns: Patterns
    view_counts: ValueCounts
    counts: Counts
    calibration: Calibration
    is_inverted: bool


def display(patterns: Patterns, header: Header, *, with_signal: bool = True) -> Display:
    """Display the patterns, which may be overwritten.

    `with_signal`: False leaves the signal out.
    """
    judged = judge(patterns, header)
    usable = judged.calibration
    counts = judged.counts

    # The signal first, because the pixels take the memory of the patterns.
    has_signal = with_signal and usable.voi is not None
    signal = cv2.LUT(judged.patterns, usable.signal_table(counts)) if has_signal else None
    return Display(
        pixels=_look_up(judged.patterns, usable.display_table(counts)),
        signal=None if signal is None else np.asarray(signal, np.uint16),
        window=None if usable.voi is None else header.window,
        warnings=_warnings(header, usable, is_inverted=judged.is_inverted),
    )


def judge(patterns: Patterns, header: Header) -> Judged:
    """Confirm the polarity and the VOI transform of the header by the pixels, or overrule them."""
    # A view of every few pixels, its number of pixels of each pattern, and the patterns that occur.
    calibration = header.calibration
    is_byte = calibration.storage.bits_allocated == 8  # noqa: PLR2004 - a byte
    patterns = patterns.astype(np.uint8 if is_byte else np.uint16, copy=False)
    step = max(1, max(patterns.shape) // _LONG_EDGE)
    view = np.ascontiguousarray(patterns[::step, ::step])
    view_counts = count_values(view)
    counts = view_counts if step == 1 else _count(patterns, view_counts.size)

    # Polarity, and the transforms that can be used.
    calibration, is_inverted = _upright(calibration, view, counts)
    if not shows_breast(calibration, view_counts, counts):
        calibration = replace(calibration, voi=None)
    return Judged(patterns, view_counts, counts, calibration, is_inverted)


def _count(patterns: Patterns, pattern_count: int) -> Counts:
    counts = cv2.calcHist([patterns], [0], None, [pattern_count], [0, pattern_count])
    return np.asarray(counts.ravel() > 0, np.uint8)


def _upright(calibration: Calibration, view: Patterns, counts: Counts) -> tuple[Calibration, bool]:
    """Return the calibration with black air, and whether it had to be inverted."""
    padding = None if calibration.padding is None else calibration.padding_table()[view]
    grey = np.asarray(cv2.LUT(view, calibration.signal_table(counts)), np.uint16)
    if not is_negative(grey, padding if padding is not None and padding.any() else None):
        return calibration, False
    return replace(calibration, inverted=not calibration.inverted), True


def shows_breast(calibration: Calibration, view_counts: ValueCounts, counts: Counts) -> bool:
    """Return whether the VOI transform shows enough of the breast. No transform shows all of it."""
    if calibration.voi is None:
        return True

    # The number of pixels with each pattern of the view, without the padding.
    pixels = np.where(calibration.padding_table(), 0, view_counts)
    shown = calibration.display_table(counts)

    tissue = _is_tissue(calibration.signal_table(counts), pixels)
    visible = (shown > _MIN_VISIBLE * WHITE) & (shown < _MAX_VISIBLE * WHITE)
    tissue_count = pixels[tissue].sum()
    return bool(not tissue_count or pixels[tissue & visible].sum() / tissue_count >= _MIN_SHOWN)


def _is_tissue(signal: Pixels, pixels: ValueCounts) -> Mask:
    """Tell which patterns are clearly brighter than the dark ones, by Otsu's threshold.

    `signal`: the grey value of each pattern. `pixels`: the number of pixels with it.
    """
    grey = (signal >> 8).astype(np.uint8)
    if not pixels.any():
        return np.zeros(signal.shape, bool)

    every_pixel = np.repeat(grey, pixels)
    threshold, _ = cv2.threshold(every_pixel, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    is_bright = grey > threshold
    if not pixels[is_bright].any():
        return np.zeros(signal.shape, bool)

    dark_level = _median(signal[~is_bright], pixels[~is_bright])
    bright_level = _median(signal[is_bright], pixels[is_bright])
    return np.asarray(signal > dark_level + _TISSUE_SHARE * (bright_level - dark_level))


def _median(values: Pixels, pixels: ValueCounts) -> float:
    """Return the median over pixels. `pixels`: their number with each of the values."""
    return percentile(np.bincount(values, pixels).astype(np.int64), 50)


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
