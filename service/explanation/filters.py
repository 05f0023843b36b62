"""Statistics, figures and warnings of a layer's filters, and a guide to reading their maps."""

import numpy as np

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

    # One small matrix [filters, filters] gives both the correlations and the singular values.
    centred = active - active.mean(axis=0)
    gram = (centred.T @ centred).astype(np.float64)
    spreads = np.sqrt(np.diag(gram))
    varying = spreads > 0
    if not varying.any():
        return {"dark_share": dark_share, "duplicate_share": 0.0, "effective_rank": 0.0}

    alike = np.abs(gram / np.outer(spreads, spreads).clip(1e-30)) > DUPLICATE
    np.fill_diagonal(alike, val=False)
    duplicates = alike[varying][:, varying].any(axis=1)

    singular_values = np.sqrt(np.linalg.eigvalsh(gram).clip(0))
    return {
        "dark_share": dark_share,
        "duplicate_share": float(duplicates.mean()),
        "effective_rank": effective_rank(singular_values),
    }


def effective_rank(singular_values: np.ndarray) -> float:
    """Return exp(-sum p log p), where p are the singular values divided by their sum."""
    shares = singular_values / singular_values.sum()
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))
