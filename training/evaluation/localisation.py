"""How well heatmaps find the lesion that made an image positive, method by method."""

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
from training.errors import TableError

HALF_A_CELL = 0.5
"""Tolerance of the pointing game along each axis: a map is no finer than its own grid."""


def localise(
    model: Model, part: Part, indices: Iterable[int], masks: str, methods: Sequence[Method]
) -> dict[Method, Localisation]:
    """The figures of each method over these images of a part, each of which holds a lesion, at the default layer.

    `masks`: path template of the lesions' masks.
    """
    positive = model.manifest.classes.index(model.manifest.positive_class)
    rows: dict[Method, list[tuple[float, ...]]] = {method: [] for method in methods}
    for index in tqdm(list(indices), desc="localisation", unit="image", leave=False):
        subject = Subject(part.images([index])[0], part.mask(index), part.to_source(index))
        lesion = read_mask(part.records[index].locate(masks))
        on_grid = lesion_on_grid(lesion, subject.to_source, subject.mask.shape)
        for method in methods:
            found = explain_class(
                model, subject, method, model.manifest.default_layer, positive, full=False
            ).heatmap
            heat = interpolate(
                found.values, subject.to_source.then(found.to_source.inverse()), subject.mask.shape
            )
            rows[method].append((float(hits(found, lesion)), *agreement(heat, on_grid)))
    return {
        method: Localisation(len(each), *(float(mean) for mean in np.mean(each, axis=0)))
        for method, each in rows.items()
    }


def hits(found: Heatmap, lesion: Mask) -> bool:
    """The pointing game: whether the peak is in the lesion, or no further from it than half a cell along each axis.

    Zhang et al., "Top-down Neural Attention by Excitation Backprop", ECCV 2016, with the tolerance set by the map's
    own grid.
    """
    return found.peak is not None and (
        distance_in_cells(lesion, found.peak.x, found.peak.y, found.to_source) <= HALF_A_CELL
    )


def agreement(heat: Floats, lesion: Mask) -> tuple[float, float, float]:
    """Relevance mass accuracy, relevance rank accuracy and IoU at Otsu's threshold of heat on a lesion [h, w].

    Mass: the share of the heat in the lesion. Rank: of as many of the hottest pixels as the lesion has, the share in
    it. Arras, Osman and Samek, "CLEVR-XAI", Information Fusion 81, 2022. All 0 for a blank map.
    """
    total = float(heat.sum(dtype=np.float64))
    if total == 0:
        return 0.0, 0.0, 0.0
    size = int(lesion.sum())
    hottest = np.argsort(-heat, axis=None, kind="stable")[:size]
    bytes_ = np.rint(heat / heat.max() * 255).astype(np.uint8)
    _, hot = cv2.threshold(bytes_, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    intersection, union = (lesion & (hot > 0)).sum(), (lesion | (hot > 0)).sum()
    return (
        float(heat[lesion].sum(dtype=np.float64)) / total,
        float(lesion.ravel()[hottest].mean()),
        float(intersection / union),
    )


def lesion_on_grid(lesion: Mask, grid_to_source: Affine, shape: tuple[int, ...]) -> Mask:
    """The lesion at every pixel of the model's grid; at least the pixel nearest to its centre."""
    columns, rows = (
        (scale * np.arange(count) + shift).round().astype(int)
        for scale, shift, count in (
            (grid_to_source.scale_x, grid_to_source.shift_x, shape[1]),
            (grid_to_source.scale_y, grid_to_source.shift_y, shape[0]),
        )
    )
    inside = np.outer(
        (rows >= 0) & (rows < lesion.shape[0]), (columns >= 0) & (columns < lesion.shape[1])
    )
    clipped = np.ix_(rows.clip(0, lesion.shape[0] - 1), columns.clip(0, lesion.shape[1] - 1))
    on_grid: NDArray[np.bool_] = lesion[clipped] & inside
    centre_y, centre_x = (float(axis.mean()) for axis in np.nonzero(lesion))
    x, y = grid_to_source.inverse().apply(centre_x, centre_y)
    on_grid[min(max(round(y), 0), shape[0] - 1), min(max(round(x), 0), shape[1] - 1)] = True
    return on_grid


def distance_in_cells(mask: Mask, x: float, y: float, cell_to_source: Affine) -> float:
    """How far a point is from the nearest pixel of a mask, along the axis where it is further, in cells of a map."""
    rows, columns = np.nonzero(mask)
    # To the edge of a pixel, which is half a pixel from its centre.
    cells_x = np.maximum(np.abs(columns - x) - 0.5, 0) / abs(cell_to_source.scale_x)
    cells_y = np.maximum(np.abs(rows - y) - 0.5, 0) / abs(cell_to_source.scale_y)
    return float(np.maximum(cells_x, cells_y).min())


def read_mask(path: Path) -> Mask:
    """Where an 8-bit image is not black.

    Raises:
        TableError: if it is not there, cannot be read, or is black throughout.
    """
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None or not mask.any():
        raise TableError(
            f"{path} is not an image with a lesion in it; `lesion_masks` must give one for every image with cancer."
        )
    return np.asarray(mask > 0)
