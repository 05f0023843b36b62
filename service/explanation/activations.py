"""What each filter of a layer did on an image, and how to read it."""

import numpy as np

from service.results import Caution, FilterStatistics, Floats, Stage

_READINGS: dict[Stage, str] = {
    "early": "Early layer: its filters respond to edges and local contrast; the breast outline should show.",
    "middle": "Middle layer: its filters respond to patterns, such as strands of tissue or groups of bright spots.",
    "deep": "Deep layer: its filters respond to abstract features; where the bright cells lie says the most.",
}


def reading(stage: Stage) -> str:
    """One sentence on how to read the maps of a layer at that stage."""
    return _READINGS[stage]


def filter_statistics(maps: Floats) -> list[FilterStatistics]:
    """Mean, maximum and share of dark cells (at or below zero) of each filter of maps [h, w, filters]."""
    means, maxima = maps.mean(axis=(0, 1), dtype=np.float64), maps.max(axis=(0, 1))
    dark = (maps <= 0).mean(axis=(0, 1))
    return [
        FilterStatistics(mean=float(mean), maximum=float(maximum), zero_share=float(share))
        for mean, maximum, share in zip(means, maxima, dark, strict=True)
    ]


def filter_cautions(statistics: list[FilterStatistics]) -> tuple[Caution, ...]:
    """A warning where every filter of the layer is dark; single dark filters are normal and none is given for them."""
    if all(filter_.zero_share == 1.0 for filter_ in statistics):
        return (
            Caution("layer-dark", "Every filter of this layer is zero on this image: nothing behind it can react."),
        )
    return ()
