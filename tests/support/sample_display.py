"""Display of samples as a viewer does it: written from PS3.3 C.11.2 and docs/api.md alone."""

import gzip
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.records import SampleMeaning, VoiPreset

Units = NDArray[np.float64]


def unpack(content: bytes, rows: int, columns: int) -> NDArray[np.uint16]:
    """Return packed samples as an array [rows, columns]."""
    return np.frombuffer(gzip.decompress(content), "<u2").reshape(rows, columns)


def shown(samples: NDArray[Any], meaning: SampleMeaning, preset: int = 0) -> Units:
    """Return the grey of each sample, 0 black .. 65535 white, not rounded."""
    unit = _unit(meaning.presets[preset], meaning.slope * samples + meaning.intercept)
    grey = 65535 * (1 - unit if meaning.inverted else unit)
    if meaning.padding is not None:
        first, last = meaning.padding
        grey[(samples >= first) & (samples <= last)] = 0
    return grey


def _unit(preset: VoiPreset, values: Units) -> Units:
    if preset.table is not None:
        entries = np.frombuffer(preset.table.entries, "<u2").astype(float)
        place = np.clip(np.rint(values) - preset.table.first, 0, len(entries) - 1)
        return np.asarray(np.minimum(entries[place.astype(int)] / preset.table.maximum, 1))

    assert preset.center is not None
    assert preset.width is not None
    center, width = preset.center, preset.width
    if preset.function == "SIGMOID":
        return np.asarray(1 / (1 + np.exp(-4 * (values - center) / width)))
    if preset.function == "LINEAR_EXACT":
        return np.asarray(np.clip((values - center) / width + 0.5, 0, 1))
    if width == 1:
        return np.where(values > center - 0.5, 1.0, 0.0)
    return np.asarray(np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1))
