"""Ensemble: several trained networks in one graph, whose margin is the mean of theirs.

The members lie side by side in the layers of one wider network of the same form. Each of its layers
has the filters of all members, so every method explains the whole ensemble.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from service.records import Floats
from training.config import Fit
from training.network_config import Network
from training.networks.cnn import LOGITS, build_network


@dataclass(frozen=True, slots=True)
class Member:
    """A trained network, and how its margin is calibrated: margin / temperature + offset."""

    network: keras.Model
    temperature: float
    offset: float


def merge(members: Sequence[Member], fit: Fit, size: Network) -> keras.Model:
    """Return one network whose margin is the mean of the members' calibrated margins.

    All members have the form that `build_network` gives this fit and size.
    """
    count = len(members)
    wider = size.model_copy(
        update={
            "filters": tuple(count * filters for filters in size.filters),
            "dense": tuple(count * units for units in size.dense),
        }
    )
    merged = build_network(fit.height, fit.width, wider)

    networks = [merged, *(member.network for member in members)]
    channels = 1
    for layer, *parts in zip(*map(_weighted_layers, networks), strict=True):
        weights = [part.get_weights() for part in parts]
        if layer.name == LOGITS:
            layer.set_weights(_head(weights, members, channels))
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([np.concatenate(values) for values in zip(*weights, strict=True)])
        else:
            kernels, biases = zip(*weights, strict=True)
            is_first = layer.input.shape[-1] == 1
            kernel = np.concatenate(kernels, axis=-1) if is_first else _diagonal(kernels, channels)
            layer.set_weights([kernel.reshape(layer.kernel.shape), np.concatenate(biases)])
            channels = kernels[0].shape[-1]

    return merged


def _weighted_layers(network: keras.Model) -> list[keras.Layer]:
    return [layer for layer in network.layers if layer.weights and layer.get_weights()]


def _diagonal(kernels: Sequence[Floats], channels: int) -> Floats:
    """Return a kernel [cells, members * channels, members * units] with the kernels on a diagonal.

    `channels`: those of a member's input. A kernel has `channels * units` weights a cell, where the
    cells are those of a convolution's window, or of a flattened map.
    """
    count = len(kernels)
    units = kernels[0].shape[-1]
    blocks = [kernel.reshape(-1, channels, units) for kernel in kernels]
    merged = np.zeros((len(blocks[0]), count, channels, count, units), np.float32)

    for index, block in enumerate(blocks):
        merged[:, index, :, index, :] = block
    return merged.reshape(len(merged), count * channels, count * units)


def _head(
    weights: Sequence[Sequence[Floats]], members: Sequence[Member], channels: int
) -> list[Floats]:
    """Return kernel and bias of the logits: the means of the members' calibrated logits.

    `channels`: those of a member's input, which may be a flattened map. The offset of a member goes
    to its logit of cancer.
    """
    kernels = []
    biases = []
    for (kernel, bias), member in zip(weights, members, strict=True):
        scaled = kernel / member.temperature / len(members)
        kernels.append(scaled.reshape(-1, channels, kernel.shape[-1]))
        biases.append(bias / member.temperature + np.array([0, member.offset]))

    # Each cell of a flattened map has the channels of all members.
    merged = np.stack(kernels, axis=1)
    return [merged.reshape(-1, merged.shape[-1]), np.mean(biases, axis=0)]
