"""Outputs of a network for all images of a part, in batches that fit in memory."""

import math
from contextlib import closing
from functools import partial

import keras
import numpy as np

from service.records import Floats
from training.bars import bar
from training.data.cache import Part
from training.data.reading_ahead import filled_batches

MAX_BATCH = 64

MAX_MAP_BYTES = 2**30
"""Max. size of the largest map of a batch. A pass keeps about two such maps at a time."""

_FLOAT_BYTES = 4


def predict(
    model: keras.Model, part: Part, workers: int = 1, description: str = "predictions"
) -> Floats:
    """Return the model's outputs [N, 2] for a part, under a bar with that description.

    `workers` threads read its images ahead. All batches have the same size, so that a backend
    compiles one: the last one is filled up with black images. The size depends on the model and the
    number of images alone.

    Raises:
        CacheError: if a shard is damaged.
    """
    number = math.ceil(len(part) / prediction_batch(model))
    size = math.ceil(len(part) / number)
    height, width = model.input_shape[1:3]

    fills = (partial(_fill, part, index) for index in range(len(part)))
    batches = filled_batches(fills, size, (height, width), workers)
    with closing(batches), bar(None, description, total=len(part)) as shown:
        outputs = []
        for images in batches:
            outputs.append(model.predict_on_batch(_padded(images, size)))
            shown.update(len(images))

    return np.asarray(np.concatenate(outputs)[: len(part)], np.float32)


def prediction_batch(model: keras.Model) -> int:
    """Return how many images a batch may have, so that the largest map of all layers fits."""
    maps = [tensor for layer in model.layers for tensor in keras.tree.flatten(layer.output)]
    largest: int = max(math.prod(map(int, tensor.shape[1:])) for tensor in maps)
    return max(1, min(MAX_BATCH, MAX_MAP_BYTES // (_FLOAT_BYTES * largest)))


def _fill(part: Part, index: int, out: Floats) -> None:
    """Read an image into `out`, [height, width]."""
    out[:] = part.images([index])[0, ..., 0]


def _padded(images: Floats, size: int) -> Floats:
    """Return that many images, of which the last are black."""
    missing = size - len(images)
    return np.pad(images, ((0, missing), (0, 0), (0, 0), (0, 0))) if missing else images
