"""Statistics, figures and warnings of a layer's filters, and a guide to reading their maps."""

import numpy as np
from numpy.typing import NDArray

from service.records import FilterStatistics, Floats, QualityWarning, Stage

DUPLICATE = 0.95
"""Filters whose maps correlate by more than this, in magnitude, count as duplicates."""

_STAGE_GUIDES: dict[Stage, str] = {
    "early": (
        "Early layer: its filters respond to edges and local contrast. The breast outline should "
        "be visible."
    ),
    "middle": (
        "Middle layer: its filters respond to patterns, such as strands of tissue or groups of "
        "bright spots."
    ),
    "deep": (
        "Deep layer: its filters respond to abstract features. The position of the bright cells "
        "is most informative."
    ),
}


def stage_guide(stage: Stage) -> str:
    """Return a short guide to reading the maps of a layer at that stage."""
    return _STAGE_GUIDES[stage]


def filter_statistics(maps: Floats) -> list[FilterStatistics]:
    """Return mean, maximum and share of dark cells (at or below zero) of each filter.

    `maps`: [h, w, filters].
    """
    means = maps.mean(axis=(0, 1), dtype=np.float64)
    maxima = maps.max(axis=(0, 1))
    dark = (maps <= 0).mean(axis=(0, 1))

    return [
        FilterStatistics(mean=float(mean), maximum=float(maximum), zero_share=float(share))
        for mean, maximum, share in zip(means, maxima, dark, strict=True)
    ]


def filter_warnings(statistics: list[FilterStatistics]) -> tuple[QualityWarning, ...]:
    """Return a warning if every filter of the layer is dark. Single dark filters are normal."""
    if any(filter_.zero_share < 1.0 for filter_ in statistics):
        return ()

    message = "Every filter of this layer is zero on this image, so later layers get no signal."
    return (QualityWarning("layer-dark", message),)


def filter_figures(maps: Floats) -> dict[str, float]:
    """Return figures of a layer's filters taken together, from their maps [h, w, filters].

    `dark_share`: share of filters without a positive cell. `duplicate_share`: share of the other
    filters with a varying map whose map repeats another one's, see `DUPLICATE`. `effective_rank`:
    exponential of the entropy of the singular values of the centred maps (Roy and Vetterli, "The
    effective rank", EUSIPCO 2007). The last two are 0 if no map varies, all are 0 if a map is not
    finite.
    """
    flat = maps.reshape(-1, maps.shape[-1]).astype(np.float32)
    if not np.isfinite(flat).all():
        return {"dark_share": 0.0, "duplicate_share": 0.0, "effective_rank": 0.0}

    active = flat[:, flat.max(axis=0) > 0]
    dark_share = 1 - active.shape[1] / flat.shape[1]

    # The figures do not depend on the scale, and squares of unscaled maps could overflow.
    scaled = active / (np.abs(active).max(initial=0) or 1)
    centred = scaled - scaled.mean(axis=0)
    spreads = np.linalg.norm(centred, axis=0)
    varying = spreads > 0
    if not varying.any():
        return {"dark_share": dark_share, "duplicate_share": 0.0, "effective_rank": 0.0}

    unit_maps = centred[:, varying] / spreads[varying]
    return {
        "dark_share": dark_share,
        "duplicate_share": _duplicate_share(unit_maps),
        "effective_rank": effective_rank(_singular_values(centred)),
    }


def _duplicate_share(unit_maps: Floats) -> float:
    """Return the share of maps that repeat another one, of centred maps of unit length.

    `unit_maps`: [cells, filters].
    """
    alike = np.abs(unit_maps.T @ unit_maps) > DUPLICATE
    np.fill_diagonal(alike, val=False)
    return float(alike.any(axis=1).mean())


def _singular_values(maps: Floats) -> NDArray[np.float64]:
    """Return the singular values of maps [cells, filters], from the smaller of the two Grams.

    A deep layer has few cells and many filters, an early layer the reverse.
    """
    cells, filters = maps.shape
    gram = maps.T @ maps if filters <= cells else maps @ maps.T
    eigenvalues = np.linalg.eigvalsh(gram.astype(np.float64))
    return np.asarray(np.sqrt(eigenvalues.clip(0)))


def effective_rank(singular_values: np.ndarray) -> float:
    """Return exp(-sum p log p), where p are the singular values divided by their sum."""
    shares = singular_values / singular_values.sum()
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))
