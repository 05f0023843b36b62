"""Samples of a DICOM image: its values before the VOI transform, and how to display them.

Displayed by the first preset they are the picture that `display` makes.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import cv2
import numpy as np

from service.imaging.dicom.display import Judged, judge, shows_breast
from service.imaging.dicom.greyscale import Calibration, LookupTable, VoiWindow
from service.imaging.dicom.header import Header
from service.imaging.dicom.overshoot import Patterns
from service.imaging.dicom.presets import NamedVoi
from service.imaging.sample_range import whole_range
from service.records import Mask, Pixels, SampleMeaning, Samples, VoiPreset

MAX_PRESETS = 16
"""Most presets of an image. Further ones are left out."""
MAX_TABLE_BYTES = 2**18
"""Most bytes of the tables of an image beside the first preset: two of the largest."""
_MAX_EXAMINED = 64  # a header may hold thousands of windows


def stored_samples(patterns: Patterns, header: Header, vois: Iterable[NamedVoi]) -> Samples:
    """Return the samples of the patterns.

    `vois`: the usable transforms of the header. The first is the one that the header names.
    """
    judged = judge(patterns, header)
    calibration = judged.calibration
    is_padding = calibration.padding_table()
    occurs = (judged.counts > 0) & ~is_padding
    table, slope, intercept, padding = _sample_table(calibration, occurs, is_padding)

    occurring = calibration.values()[occurs]
    lowest = float(occurring.min()) if occurring.size else 0.0
    highest = float(occurring.max()) if occurring.size else 0.0
    return Samples(
        values=np.asarray(cv2.LUT(judged.patterns, table), np.uint16),
        meaning=SampleMeaning(
            slope=slope,
            intercept=intercept,
            lowest=lowest,
            highest=highest,
            padding=padding,
            inverted=calibration.inverted,
            presets=_presets(judged, list(islice(vois, _MAX_EXAMINED)), (lowest, highest)),
        ),
    )


def _sample_table(
    calibration: Calibration, occurs: Mask, is_padding: Mask
) -> tuple[Pixels, float, float, tuple[int, int] | None]:
    """Return the sample of each bit pattern, slope and intercept of its value, and the padding.

    `occurs`: the patterns of pixels that are no padding. A sample counts the stored values from the
    lowest that can be stored. After a modality LUT it is the output of that.
    """
    storage = calibration.storage
    if calibration.modality_lut is None:
        lowest, highest = storage.range
        table = (storage.values() - lowest).astype(np.uint16)
        intercept = calibration.intercept + calibration.slope * lowest
        first, last = calibration.padding or (highest + 1, highest + 1)
        first, last = max(first, lowest), min(last, highest)
        padding = (first - lowest, last - lowest) if first <= last else None
        return table, calibration.slope, intercept, padding

    # The padding has no output. It gets a sample that no other pixel has.
    table = calibration.values().astype(np.uint16)
    if not is_padding.any():
        return table, 1.0, 0.0, None
    used = np.zeros(2**16, bool)
    used[table[occurs]] = True
    free = int(np.flatnonzero(~used)[-1])
    table[is_padding] = free
    return table, 1.0, 0.0, (free, free)


def _presets(
    judged: Judged, vois: list[NamedVoi], ends: tuple[float, float]
) -> tuple[VoiPreset, ...]:
    """Return the transform that is used, then the others that show the breast.

    `ends`: the lowest and the highest value that occurs.
    """
    used = judged.calibration.voi
    first = whole_range(*ends) if used is None else vois[0].preset()

    others: list[VoiPreset] = []
    room = MAX_TABLE_BYTES
    for voi in vois[1:]:
        size = voi.voi.entries.nbytes // 4 if isinstance(voi.voi, LookupTable) else 0
        if len(others) == MAX_PRESETS - 1:
            break
        if size <= room and _is_usable(judged, voi.voi):
            room -= size
            others.append(voi.preset())
    return (first, *others)


def _is_usable(judged: Judged, voi: VoiWindow | LookupTable) -> bool:
    calibration = replace(judged.calibration, voi=voi)
    return shows_breast(calibration, judged.view_counts, judged.counts)
