"""The pointing game: whether the peak of Grad-CAM lies in the lesion that made the image positive.

Zhang et al., "Top-down Neural Attention by Excitation Backprop", ECCV 2016, with the tolerance set by the map's own
grid.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import keras
import numpy as np
import tensorflow as tf

from service.explanation import heatmap
from service.geometry import Affine
from service.results import Heatmap, Layer, Mask
from training.cache import Part
from training.errors import TableError
from training.receptive_field import convolutional_layers
from training.signatures import Explained
from training.train import PREDICTION_BATCH


@dataclass(frozen=True, slots=True)
class Pointing:
    """Over images decided positive that hold a known lesion: how many there are, and in how many the peak hits it."""

    images: int
    hits: int

    @property
    def rate(self) -> float:
        """Share of the images in which the peak hits the lesion."""
        return self.hits / self.images


def point(model: keras.Model, part: Part, indices: Iterable[int], masks: str) -> Pointing:
    """The outcome of the pointing game for these images of a part, at the deepest convolution.

    `masks`: path template of the lesions' masks.
    """
    chosen = list(indices)
    layer = convolutional_layers(model, *model.input_shape[1:3])[-1]
    maps = _heatmaps(model, layer, part, chosen)
    hits = sum(
        _hits(each, read_mask(part.records[index].locate(masks))) for index, each in zip(chosen, maps, strict=True)
    )
    return Pointing(len(chosen), hits)


def _heatmaps(model: keras.Model, layer: Layer, part: Part, indices: list[int]) -> Iterator[Heatmap]:
    _, height, width, _ = model.input_shape
    gradcam = Explained(model, [layer.name], height, width, temperature=1.0).gradcam(layer.name)
    for start in range(0, len(indices), PREDICTION_BATCH):
        batch = indices[start : start + PREDICTION_BATCH]
        answer = gradcam(tf.constant(part.images(batch)), tf.ones(len(batch), tf.int32))
        for index, maps, gradients in zip(batch, answer["maps"].numpy(), answer["gradients"].numpy(), strict=True):
            yield heatmap(maps, gradients, layer.receptive_field.to_input().then(part.to_source(index)))


def _hits(found: Heatmap, lesion: Mask) -> bool:
    """Whether the peak is in the lesion, or no further from it than half a grid cell along each axis."""
    return found.peak is not None and distance_in_cells(lesion, found.peak.x, found.peak.y, found.to_source) <= 0.5  # noqa: PLR2004 - half a cell


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
