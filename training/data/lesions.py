"""Lesion masks: reading, sampling on the model's grid, and hits of a heatmap's peak."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from service.geometry import Affine
from service.records import Heatmap, Mask
from training.data.table import Record
from training.errors import TableError

HALF_A_CELL = 0.5
"""Tolerance of the pointing game along each axis, as a map is not finer than its grid."""


def hits(heatmap: Heatmap, lesion: Mask) -> bool:
    """Return whether the heatmap's peak is at most half a cell from the lesion along each axis.

    This is the pointing game of Zhang et al., "Top-down Neural Attention by Excitation Backprop",
    ECCV 2016, with a tolerance set by the map's grid.
    """
    peak = heatmap.peak
    return peak is not None and (
        distance_in_cells(lesion, peak.x, peak.y, heatmap.to_source) <= HALF_A_CELL
    )


def lesion_on_grid(lesion: Mask, grid_to_source: Affine, shape: tuple[int, ...]) -> Mask:
    """Sample the lesion at every pixel of the model's grid.

    The pixel nearest to its centre is always set, so that a small lesion is not lost.
    """
    # Source pixel of each column and row of the grid, which may lie outside the image.
    columns, rows = (
        (scale * np.arange(count) + shift).round().astype(int)
        for scale, shift, count in (
            (grid_to_source.scale_x, grid_to_source.shift_x, shape[1]),
            (grid_to_source.scale_y, grid_to_source.shift_y, shape[0]),
        )
    )

    # The lesion at these pixels, and nothing outside the image.
    inside = np.outer(
        (rows >= 0) & (rows < lesion.shape[0]), (columns >= 0) & (columns < lesion.shape[1])
    )
    clipped = np.ix_(rows.clip(0, lesion.shape[0] - 1), columns.clip(0, lesion.shape[1] - 1))
    on_grid: NDArray[np.bool_] = lesion[clipped] & inside

    # The pixel nearest to the lesion's centre.
    centre_y, centre_x = (float(axis.mean()) for axis in np.nonzero(lesion))
    x, y = grid_to_source.inverse().apply(centre_x, centre_y)
    on_grid[min(max(round(y), 0), shape[0] - 1), min(max(round(x), 0), shape[1] - 1)] = True

    return on_grid


def distance_in_cells(mask: Mask, x: float, y: float, cell_to_source: Affine) -> float:
    """Return the distance of a point from the nearest pixel of a mask, in cells of a map.

    The larger of the distances along the two axes. Mask and point are in source pixels;
    `cell_to_source` is the map's, and gives the size of its cells.
    """
    rows, columns = np.nonzero(mask)

    # The distance to the edge of a pixel, which is half a pixel from its centre.
    cells_x = np.maximum(np.abs(columns - x) - 0.5, 0) / abs(cell_to_source.scale_x)
    cells_y = np.maximum(np.abs(rows - y) - 0.5, 0) / abs(cell_to_source.scale_y)
    return float(np.maximum(cells_x, cells_y).min())


def read_lesion(record: Record) -> Mask:
    """Read the lesion mask of an image.

    Raises:
        TableError: if the table gives no mask, or it is missing, unreadable or entirely black.
    """
    if record.lesion_mask is None:
        raise TableError(f"The table has no lesion mask for {'/'.join(record.key)}.")
    return read_mask(record.lesion_mask)


def read_mask(path: Path) -> Mask:
    """Read an 8-bit image as a mask of the pixels that are not black.

    Raises:
        TableError: if the image is missing, unreadable or entirely black.
    """
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None or not mask.any():
        raise TableError(
            f"{path} is missing or has no lesion: "
            "`lesion_masks` must give a mask for every image with cancer."
        )
    return np.asarray(mask > 0)
