"""How alike two maps are."""

import numpy as np

from service.records import Floats


def correlation(one: Floats, other: Floats) -> float:
    """Pearson's correlation of two maps of the same shape; 0 where one of them is constant."""
    a, b = (
        np.asarray(each, dtype=np.float64) - each.mean(dtype=np.float64) for each in (one, other)
    )
    norm = np.sqrt((a**2).sum() * (b**2).sum())
    return float((a * b).sum() / norm) if norm > 0 else 0.0
