"""Probe of a network: do the cells of its maps depend on the pixels that the manifest says?

The manifest's places follow from the settings of the layers. The probe is independent of them: it
differentiates cells with respect to the pixels of random images.
"""

from collections.abc import Sequence
from dataclasses import replace

import keras
import numpy as np

from service.model import Manifest
from service.records import ConvLayer
from training.bars import bar
from training.errors import NotExplainable
from training.introspection.cell_gradients import PIXELS_AT_ONCE, cell_gradients
from training.introspection.effective_field import Displacement, EffectiveField
from training.introspection.live_model import explained
from training.introspection.signatures import Explained

MAX_STRIDES = 0.5

_SEED = 1
_ROUNDS = 16
_IMAGES = 2  # of each cell in a round


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
    batch = max(PIXELS_AT_ONCE // (network.height * network.width), 1)

    starts = range(0, len(numbers), batch)
    for start in bar(starts, "places of the cells", unit="batch"):
        chosen = numbers[start : start + batch]
        places = {name: [fields[name].cells[number] for number in chosen] for name in network.taps}
        size = (len(chosen), network.height, network.width, 1)
        images = rng.random(size, dtype=np.float32)

        for name, gradients in cell_gradients(network, images, places, rng).items():
            for number, gradient in zip(chosen, np.abs(gradients), strict=True):
                fields[name].add(int(number), gradient)


def _complaint(name: str, displacement: Displacement) -> str:
    x, y = displacement.expected
    measured_x, measured_y = displacement.measured
    return (
        f"Cell ({displacement.row}, {displacement.column}) of layer {name!r} should depend on the "
        f"pixels around x = {x:.1f}, y = {y:.1f}, but depends on those around "
        f"x = {measured_x:.1f}, y = {measured_y:.1f}: its heat would be drawn in another place. A "
        "layer of the network moves the cells of its maps; rebuild the network without it."
    )
