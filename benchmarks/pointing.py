"""Pointing game on lesions that are given as circles, beside chance and two simple baselines.

Zhang et al., "Top-down Neural Attention by Excitation Backprop", ECCV 2016: a map scores a hit if
its peak lies in the lesion.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from service.geometry import Affine
from service.records import Fitted, Mask

Point = tuple[float, float]
"""A place (x, y) in source pixels."""
Points = NDArray[np.float64]
"""Places [N, 2] as (x, y), in source pixels."""
CellSize = tuple[float, float]
"""Width and height of a cell, in source pixels."""


@dataclass(frozen=True, slots=True)
class Circle:
    """Circle around a lesion, in source pixels from the top left."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True)
class Game:
    """Result of the game for one peak and some lesions, of which it has to meet any.

    `plain`: whether the peak lies in a lesion. `grown`: the same with lesions grown by half a cell
    along each axis. `chance_plain`, `chance_grown`: the expected hits of a random cell in the
    breast, 0..1.
    """

    plain: bool
    grown: bool
    chance_plain: float
    chance_grown: float


def read_circles(path: Path) -> dict[str, list[Circle]]:
    """Return the circles of each image of a table with the columns file, x, y and radius."""
    circles: dict[str, list[Circle]] = {}
    with path.open(newline="") as table:
        for row in csv.DictReader(table):
            circle = Circle(float(row["x"]), float(row["y"]), float(row["radius"]))
            circles.setdefault(row["file"], []).append(circle)
    return circles


def play(
    lesions: Sequence[Circle],
    peak: Point | None,
    fitted: Fitted,
    cell_to_source: Affine,
    shape: tuple[int, ...],
) -> Game:
    """Play the game for a peak of a map of shape [h, w]. A blank map has no peak, and misses."""
    places = np.array([] if peak is None else [peak], np.float64).reshape(-1, 2)
    breast = breast_cells(fitted, cell_to_source, shape)
    random_places = cell_centres(breast, cell_to_source)
    cell = (abs(cell_to_source.scale_x), abs(cell_to_source.scale_y))

    return Game(
        plain=bool(hits(lesions, places).any()),
        grown=bool(hits(lesions, places, cell).any()),
        chance_plain=float(hits(lesions, random_places).mean()),
        chance_grown=float(hits(lesions, random_places, cell).mean()),
    )


def hits(lesions: Sequence[Circle], places: Points, cell: CellSize = (0.0, 0.0)) -> Mask:
    """Return for each place whether a cell that is centred there touches a lesion [N].

    This is the same as growing the lesions by half a cell along each axis.
    """
    touches = np.zeros(len(places), np.bool_)
    for lesion in lesions:
        distances = np.abs(places - (lesion.x, lesion.y))
        beyond_cell = np.maximum(distances - np.array(cell) / 2, 0)
        touches |= np.hypot(beyond_cell[:, 0], beyond_cell[:, 1]) <= lesion.radius
    return touches


def breast_cells(fitted: Fitted, cell_to_source: Affine, shape: tuple[int, ...]) -> Mask:
    """Return the cells of a map of shape [h, w] that are centred in the breast, as a mask.

    A centre outside the model's grid counts as its nearest pixel.
    """
    to_grid = cell_to_source.then(fitted.to_source.inverse())
    rows = np.rint(to_grid.scale_y * np.arange(shape[0]) + to_grid.shift_y).astype(int)
    columns = np.rint(to_grid.scale_x * np.arange(shape[1]) + to_grid.shift_x).astype(int)

    height, width = fitted.mask.shape
    return fitted.mask[np.ix_(rows.clip(0, height - 1), columns.clip(0, width - 1))]


def cell_centres(cells: Mask, cell_to_source: Affine) -> Points:
    """Return the centres of the cells that are set."""
    rows, columns = np.nonzero(cells)
    return np.stack(
        [
            cell_to_source.scale_x * columns + cell_to_source.shift_x,
            cell_to_source.scale_y * rows + cell_to_source.shift_y,
        ],
        axis=1,
    )


def brightest_spot(fitted: Fitted, sigma: float) -> Point:
    """Return the brightest spot in the breast, after a Gaussian blur of `sigma` model pixels."""
    smooth = cv2.GaussianBlur(fitted.image[..., 0], (0, 0), sigma)
    inside = np.where(fitted.mask, smooth, -1)
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    return fitted.to_source.apply(float(column), float(row))


def breast_centroid(fitted: Fitted) -> Point:
    """Return the mean place of the breast's pixels on the model's grid."""
    rows, columns = np.nonzero(fitted.mask)
    return fitted.to_source.apply(float(columns.mean()), float(rows.mean()))


def wilson(count: int, total: int) -> str:
    """Return a count with Wilson's 95 % interval of the share, as text."""
    if not total:
        return "-"
    interval = binomtest(count, total).proportion_ci(method="wilson")
    return f"{count}/{total} ({interval.low:.0%} to {interval.high:.0%})"
