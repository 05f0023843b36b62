"""Localisation: how well the heatmaps of each method find the lesion of a positive image."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from service.geometry import Affine, interpolate
from service.model import Localisation, Model
from service.pipeline.class_explanation import Subject, explain_class
from service.records import Floats, Heatmap, Mask, Method
from training.data.cache import Part
from training.data.table import Record
from training.errors import TableError

HALF_A_CELL = 0.5
"""Tolerance of the pointing game along each axis, as a map is not finer than its grid."""


Figures = dict[Method, tuple[float, ...]]
"""Pointing, mass, rank and IoU of one image, by method."""


def localise(
    model: Model, part: Part, indices: Iterable[int], methods: Sequence[Method]
) -> dict[Method, Localisation]:
    """Return the mean figures of each method over these images of a part, at the default layer.

    Every image must have a lesion mask.

    Raises:
        TableError: if the lesion mask of an image is missing, unreadable or empty.
    """
    bar = tqdm(list(indices), desc="localisation", unit="image", leave=False)
    return average([localise_image(model, part, index, methods) for index in bar])


def localise_image(model: Model, part: Part, index: int, methods: Sequence[Method]) -> Figures:
    """Return the figures of each method on one image of a part; see `localise`."""
    positive = model.manifest.classes.index(model.manifest.positive_class)
    subject = Subject(part.images([index])[0], part.mask(index), part.to_source(index))
    lesion = read_lesion(part.records[index])
    on_grid = lesion_on_grid(lesion, subject.to_source, subject.mask.shape)

    figures: Figures = {}
    for method in methods:
        heatmap = explain_class(
            model, subject, method, model.manifest.default_layer, positive, full=False
        ).heatmap

        # From the map's own grid to the model's grid.
        grid_to_map = subject.to_source.then(heatmap.to_source.inverse())
        heat = interpolate(heatmap.values, grid_to_map, subject.mask.shape)

        figures[method] = (float(hits(heatmap, lesion)), *agreement(heat, on_grid))
    return figures


def average(images: Sequence[Figures]) -> dict[Method, Localisation]:
    """Return the mean figures of each method over at least one image."""
    return {
        method: Localisation(
            len(images),
            *(float(mean) for mean in np.mean([image[method] for image in images], axis=0)),
        )
        for method in images[0]
    }


def hits(heatmap: Heatmap, lesion: Mask) -> bool:
    """Return whether the heatmap's peak is at most half a cell from the lesion along each axis.

    This is the pointing game of Zhang et al., "Top-down Neural Attention by Excitation Backprop",
    ECCV 2016, with a tolerance set by the map's grid.
    """
    peak = heatmap.peak
    return peak is not None and (
        distance_in_cells(lesion, peak.x, peak.y, heatmap.to_source) <= HALF_A_CELL
    )


def agreement(heat: Floats, lesion: Mask) -> tuple[float, float, float]:
    """Return relevance mass accuracy, relevance rank accuracy, and IoU at Otsu's threshold.

    `heat` and `lesion` are on the same grid [h, w]. Mass: share of the heat that is in the lesion.
    Rank: share of the N hottest pixels that are in the lesion, where N is its number of pixels.
    Arras, Osman and Samek, "CLEVR-XAI", Information Fusion 81, 2022. All are 0 for a blank map.
    """
    total = float(heat.sum(dtype=np.float64))
    if total == 0:
        return 0.0, 0.0, 0.0

    # The N hottest pixels.
    size = int(lesion.sum())
    hottest = np.argsort(-heat, axis=None, kind="stable")[:size]

    # Overlap of the lesion and the heat above Otsu's threshold.
    bytes_ = np.rint(heat / heat.max() * 255).astype(np.uint8)
    _, hot = cv2.threshold(bytes_, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    intersection = (lesion & (hot > 0)).sum()
    union = (lesion | (hot > 0)).sum()

    return (
        float(heat[lesion].sum(dtype=np.float64)) / total,
        float(lesion.ravel()[hottest].mean()),
        float(intersection / union),
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
