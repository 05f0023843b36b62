"""The backbone of a network, and its first layers, which may be frozen."""

from difflib import get_close_matches

import keras

from training.errors import ConfigError
from training.networks.head import HEAD


def freeze(network: keras.Model, until: str) -> None:
    """Stop the training of a backbone's layers up to the one of this name, and of that one.

    The order is that of `network.layers`. Frozen normalisation uses its running mean and variance.

    Raises:
        ConfigError: the backbone has no layer of this name.
    """
    layers = backbone_layers(network)
    names = [layer.name for layer in layers]
    if until not in names:
        near = get_close_matches(until, names, n=3, cutoff=0.4) or names[-1:]
        raise ConfigError(
            f"[network] frozen_until: the backbone has no layer {until!r}. Near are "
            f"{', '.join(near)}."
        )

    for layer in layers[: names.index(until) + 1]:
        layer.trainable = False


def backbone_layers(network: keras.Model) -> list[keras.Layer]:
    """Return the layers before the head, in order."""
    return [layer for layer in network.layers if layer.name not in HEAD]
