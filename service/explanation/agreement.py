"""Agreement between two maps."""

import numpy as np
from numpy.typing import NDArray

from service.records import Floats

_DECIMALS = 6


def correlation(one: Floats, other: Floats) -> float:
    """Return Pearson's correlation of two maps of the same shape, or 0 if one is constant.

    It is rounded to six decimals, so that maps which are equal in theory agree exactly: below a
    global mean and a dense layer, Grad-CAM and HiResCAM differ by rounding alone.
    """
    a = _centred(one)
    b = _centred(other)

    norm = np.sqrt((a**2).sum() * (b**2).sum())
    return round(float((a * b).sum() / norm), _DECIMALS) if norm > 0 else 0.0


def _centred(values: Floats) -> NDArray[np.float64]:
    """Subtract the mean, in float64."""
    return np.asarray(values, dtype=np.float64) - float(values.mean(dtype=np.float64))
