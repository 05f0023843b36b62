"""The fog of a film: a grey veil that is brighter towards one side."""

import cv2
import numpy as np

from service.records import Floats

# Max long edge of the grid on which the veil is fitted.
_LONG_EDGE = 64
# Share of the median: darker pixels are bare glass beside the film.
_GLASS = 0.35
# The plane lies below nearly all pixels: those above it weigh this much.
_WEIGHT_ABOVE = 0.01
_ROUNDS = 12


def without_fog(grey: Floats) -> Floats:
    """Subtract the plane that lies below the grey values of the film."""
    rows, columns = grey.shape
    scale = min(1.0, _LONG_EDGE / max(rows, columns))
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).ravel()

    y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
    terms = np.stack([np.ones(small.size), x.ravel(), y.ravel()], axis=1)
    film = small > _GLASS * np.median(small)

    # Asymmetric least squares (Newey and Powell, Econometrica 55, 1987).
    weights = film.astype(np.float64)
    for _ in range(_ROUNDS):
        weighted = terms * weights[:, None]
        plane = np.linalg.lstsq(weighted.T @ terms, weighted.T @ small, rcond=None)[0]
        weights = film * np.where(small > terms @ plane, _WEIGHT_ABOVE, 1)

    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    veil = plane[0] + plane[1] * x + plane[2] * y
    return np.asarray(np.clip(grey - veil, 0, 255), np.float32)
