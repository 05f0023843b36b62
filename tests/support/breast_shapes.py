"""Breasts drawn by formula, and the overlap of an outline with the truth."""

import cv2
import numpy as np

from service.records import Mask, Pixels

ROWS = 500
COLUMNS = 400
WHITE = 65535


def half_ellipse(rows: int = ROWS, columns: int = COLUMNS, *, depth: float = 0.6) -> Mask:
    """A breast with its chest wall at the left edge. Its height is 0.8 of the picture's."""
    y, x = np.mgrid[:rows, :columns]
    inside: Mask = np.hypot((y - rows / 2) / (0.4 * rows), x / (depth * columns)) < 1
    return inside


def textured(inside: Mask, grey: float = 0.35) -> Pixels:
    """Tissue of that grey, darker towards the skin, on air with a little noise."""
    rng = np.random.default_rng(5)
    depth = cv2.distanceTransform(np.pad(inside, 1, mode="edge").astype(np.uint8), cv2.DIST_L2, 5)[
        1:-1, 1:-1
    ]
    tissue = grey * (0.4 + 0.6 * np.minimum(depth / 30, 1)) + 0.03 * cv2.GaussianBlur(
        rng.normal(size=depth.shape), (0, 0), 2
    )
    noise = 0.002 * rng.normal(size=depth.shape)
    return (WHITE * np.clip(np.where(inside, tissue, 0) + noise, 0, 1)).astype(np.uint16)


def drawn(shape: tuple[int, int], polygon: list[tuple[float, float]]) -> Mask:
    canvas = np.zeros(shape, np.uint8)
    cv2.fillPoly(canvas, [np.array(polygon).astype(np.int32)], 1)
    return canvas.astype(bool)


def ellipse(shape: tuple[int, int], centre: tuple[int, int], axes: tuple[int, int]) -> Mask:
    return cv2.ellipse(np.zeros(shape, np.uint8), centre, axes, 0, 0, 360, 1, cv2.FILLED).astype(
        bool
    )


def overlap(breast: Mask, truth: Mask) -> float:
    """The Dice coefficient on the grid of the outline."""
    scaled = cv2.resize(
        truth.astype(np.uint8), breast.shape[::-1], interpolation=cv2.INTER_AREA
    ).astype(bool)
    return float(2 * (breast & scaled).sum() / (breast.sum() + scaled.sum()))
