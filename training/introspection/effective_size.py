"""Effective sizes of receptive fields, measured on a mammogram."""

from dataclasses import replace

import keras
import numpy as np

from service.model import Manifest
from service.records import EffectiveSize, Floats
from training.bars import bar
from training.introspection.cell_gradients import PIXELS_AT_ONCE, cell_gradients
from training.introspection.effective_field import EffectiveField
from training.introspection.live_model import explained

_SEED = 2


def with_effective_sizes(model: keras.Model, manifest: Manifest, image: Floats) -> Manifest:
    """Return the manifest with the effective size of each layer's receptive fields.

    `image`: a fitted mammogram [height, width, 1]. The sizes are measured in it and in its
    reflection, at five cells of every layer.
    """
    sizes = effective_sizes(model, manifest, np.stack([image, image[::-1]]))
    layers = tuple(replace(layer, effective_size=sizes[layer.name]) for layer in manifest.layers)
    return manifest.model_copy(update={"layers": layers})


def effective_sizes(
    model: keras.Model, manifest: Manifest, images: Floats
) -> dict[str, EffectiveSize | None]:
    """Return the effective size of each layer's receptive fields in `images`, by layer.

    `images`: [N, height, width, 1]. None for a layer that no pixel of them moves.
    """
    network = explained(model, manifest)
    fields = {
        layer.name: EffectiveField(layer, network.height, network.width)
        for layer in manifest.layers
    }
    rng = np.random.default_rng(_SEED)

    # Each image serves each of the probed cells.
    cells = max(len(field.cells) for field in fields.values())
    pairs = [(cell, image) for cell in range(cells) for image in range(len(images))]
    batch = max(PIXELS_AT_ONCE // (network.height * network.width), 1)

    starts = range(0, len(pairs), batch)
    for start in bar(starts, "effective receptive fields", unit="batch"):
        numbers, chosen = map(list, zip(*pairs[start : start + batch], strict=True))
        places = {name: [field.cells[cell] for cell in numbers] for name, field in fields.items()}
        for name, gradients in cell_gradients(network, images[chosen], places, rng).items():
            for cell, gradient in zip(numbers, gradients, strict=True):
                fields[name].add(cell, gradient**2)

    return {name: field.effective_size() for name, field in fields.items()}
