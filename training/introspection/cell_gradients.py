"""Gradients of single cells of a network's layers with respect to the pixels of its input.

They are measured when a bundle is written, which needs TensorFlow.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from service.records import Floats
from training.introspection.hooks import OperationCall, observed
from training.introspection.receptive_field import GLOBAL_POOLINGS
from training.introspection.signatures import Explained

PIXELS_AT_ONCE = 1_000_000
"""Pixels of all images of a pass at most, which bounds its memory."""

_VECTOR_AXES = 2  # [N, c]


def cell_gradients(
    network: Explained,
    images: Floats,
    places: Mapping[str, Sequence[tuple[int, int]]],
    rng: np.random.Generator,
) -> dict[str, Floats]:
    """Return the gradients [N, height, width] of a cell of each layer to the pixels, by layer.

    `images`: [N, height, width, 1]. `places`: the row and column of the cell in each image, by
    layer. The filters of a cell are added with random signs, because in a plain sum their gradients
    would cancel in some pixels.
    """
    pixels = tf.constant(images)
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(pixels)
        with observed(network.model, _held_constant):
            maps = network.activations(pixels)
        scores = {name: _signed_sums(maps[name], cells, rng) for name, cells in places.items()}

    return {
        name: tape.gradient(score, pixels, unconnected_gradients="zero")[..., 0].numpy()
        for name, score in scores.items()
    }


def _signed_sums(maps: Any, cells: Sequence[tuple[int, int]], rng: np.random.Generator) -> Any:
    """Return the sum over images of the cells' filters with random signs."""
    indices = [(image, *cell) for image, cell in enumerate(cells)]
    values = tf.gather_nd(maps, indices)
    signs = rng.choice([-1.0, 1.0], values.shape).astype(np.float32)

    return tf.reduce_sum(values * signs)


def _held_constant(call: OperationCall) -> Any:
    """Return a replacement for an output through which every pixel would move every cell.

    Such are the vectors of squeeze-and-excitation gates, which say nothing about places, and the
    means and variances of a normalisation over rows and columns.
    """
    output = call.output
    if isinstance(call.operation, GLOBAL_POOLINGS) or len(output.shape) <= _VECTOR_AXES:
        return tf.stop_gradient(output)

    if type(call.operation) is keras.layers.GroupNormalization:
        (inputs,) = call.inputs
        return tf.stop_gradient(output - inputs) + inputs
    return None
