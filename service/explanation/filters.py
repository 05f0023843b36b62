"""What each filter of a layer did on an image, alone and together with the others, and how to read it."""

import numpy as np

from service.records import FilterStatistics, Floats, QualityWarning, Stage

DUPLICATE = 0.95
"""Filters whose maps correlate by more than this say the same."""

_READINGS: dict[Stage, str] = {
    "early": "Early layer: its filters respond to edges and local contrast; the breast outline should show.",
    "middle": "Middle layer: its filters respond to patterns, such as strands of tissue or groups of bright spots.",
    "deep": "Deep layer: its filters respond to abstract features; where the bright cells lie says the most.",
}


def stage_guide(stage: Stage) -> str:
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


def filter_warnings(statistics: list[FilterStatistics]) -> tuple[QualityWarning, ...]:
    """A warning where every filter of the layer is dark; single dark filters are normal and none is given for them."""
    if all(filter_.zero_share == 1.0 for filter_ in statistics):
        return (
            QualityWarning(
                "layer-dark",
                "Every filter of this layer is zero on this image: nothing behind it can react.",
            ),
        )
    return ()


def filter_figures(maps: Floats) -> dict[str, float]:
    """How many of a layer's filters are dark, how many say the same, and how many would do; of maps [h, w, filters].

    `effective_rank`: the exponential of the entropy of the singular values of the centred maps. Roy and Vetterli, "The
    effective rank", EUSIPCO 2007. 0 for a layer whose maps are all constant or not finite.
    """
    flat = maps.reshape(-1, maps.shape[-1]).astype(np.float32)
    if not np.isfinite(flat).all():
        return {"dark_share": 0.0, "duplicate_share": 0.0, "effective_rank": 0.0}
    lively = flat[:, flat.max(axis=0) > 0]
    centred = lively - lively.mean(axis=0)
    gram = (centred.T @ centred).astype(np.float64)
    spreads = np.sqrt(np.diag(gram))
    changing = spreads > 0
    alike = np.abs(gram / np.outer(spreads, spreads).clip(1e-30)) > DUPLICATE
    np.fill_diagonal(alike, val=False)
    return {
        "dark_share": 1 - lively.shape[1] / flat.shape[1],
        "duplicate_share": float(alike[changing][:, changing].any(axis=1).mean())
        if changing.any()
        else 0.0,
        "effective_rank": effective_rank(np.sqrt(np.linalg.eigvalsh(gram).clip(0)))
        if changing.any()
        else 0.0,
    }


def effective_rank(singular_values: np.ndarray) -> float:
    """exp(-sum p log p) with p the singular values divided by their sum."""
    shares = singular_values / singular_values.sum()
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))
