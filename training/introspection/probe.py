"""Probe of a network: do the cells of its maps depend on the pixels that the manifest says?

The manifest's places follow from the settings of the layers. The probe is independent of them: it
differentiates cells with respect to the pixels of random images.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from service.model import Manifest
from service.records import ConvLayer
from training.errors import NotExplainable
from training.introspection.effective_field import Displacement, EffectiveField
from training.introspection.hooks import OperationCall, observed
from training.introspection.live_model import explained
from training.introspection.receptive_field import GLOBAL_POOLINGS
from training.introspection.signatures import Explained

MAX_STRIDES = 0.5

_SEED = 1
_ROUNDS = 16
_IMAGES = 2  # of each cell in a round
_PIXELS_AT_ONCE = 1_000_000  # bounds the memory of a pass
_VECTOR_AXES = 2  # [N, c]


def check_places(model: keras.Model, manifest: Manifest) -> None:
    """Refuse a network whose maps have cells in other places than the manifest says.

    Raises:
        NotExplainable: a cell is more than half a stride from its place.
    """
    for name, displacement in probe(explained(model, manifest), manifest.layers).items():
        if displacement is not None and displacement.strides > MAX_STRIDES:
            raise NotExplainable(_complaint(name, displacement))


def probe(network: Explained, layers: Sequence[ConvLayer]) -> dict[str, Displacement | None]:
    """Return the largest displacement among the probed cells of each layer, by name.

    None for a layer that no pixel of the random images moves. It has no heat, either.

    Layers with a cell outside half a stride are probed again with further images, so that no
    network is refused for the noise of its gradients.
    """
    rng = np.random.default_rng(_SEED)
    fields = {layer.name: EffectiveField(layer, network.height, network.width) for layer in layers}
    outside = list(fields)

    for _ in range(_ROUNDS):
        taps = {name: network.taps[name] for name in outside}
        _measure(replace(network, taps=taps), fields, rng)
        outside = [name for name in outside if _is_outside(fields[name].largest_displacement())]
        if not outside:
            break

    return {name: field.largest_displacement() for name, field in fields.items()}


def _is_outside(displacement: Displacement | None) -> bool:
    return displacement is not None and displacement.strides > MAX_STRIDES


def _measure(
    network: Explained, fields: dict[str, EffectiveField], rng: np.random.Generator
) -> None:
    """Add the gradients of some random images to the fields of the network's layers.

    Each image serves one cell of every layer.
    """
    cells = max(len(fields[name].cells) for name in network.taps)
    numbers = np.tile(np.arange(cells), _IMAGES)
    batch = max(_PIXELS_AT_ONCE // (network.height * network.width), 1)

    starts = range(0, len(numbers), batch)
    for start in tqdm(starts, desc="places of the cells", unit="batch", leave=False):
        chosen = numbers[start : start + batch]
        places = {name: [fields[name].cells[number] for number in chosen] for name in network.taps}
        for name, gradients in _gradients(network, places, rng).items():
            for number, gradient in zip(chosen, gradients, strict=True):
                fields[name].add(int(number), gradient)


def _gradients(
    network: Explained,
    places: dict[str, list[tuple[int, int]]],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return absolute gradients [N, height, width] to random pixels, by layer.

    `places`: the row and column of the cell of each image, by layer. The filters of a cell are
    added with random signs, because in a plain sum their gradients would cancel in some pixels.
    """
    number = len(next(iter(places.values())))
    images = tf.constant(rng.random((number, network.height, network.width, 1), dtype=np.float32))

    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(images)
        with observed(network.model, _held_constant):
            maps = network.activations(images)
        scores = {name: _signed_sums(maps[name], cells, rng) for name, cells in places.items()}

    return {
        name: tf.abs(tape.gradient(score, images, unconnected_gradients="zero")[..., 0]).numpy()
        for name, score in scores.items()
    }


def _signed_sums(maps: Any, cells: list[tuple[int, int]], rng: np.random.Generator) -> Any:
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


def _complaint(name: str, displacement: Displacement) -> str:
    x, y = displacement.expected
    measured_x, measured_y = displacement.measured
    return (
        f"Cell ({displacement.row}, {displacement.column}) of layer {name!r} should depend on the "
        f"pixels around x = {x:.1f}, y = {y:.1f}, but depends on those around "
        f"x = {measured_x:.1f}, y = {measured_y:.1f}: its heat would be drawn in another place. A "
        "layer of the network moves the cells of its maps; rebuild the network without it."
    )
