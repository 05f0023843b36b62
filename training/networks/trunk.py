"""Trunk of a network: its layers up to the last maps, as a flat network of grey images."""

from collections.abc import Collection
from typing import Any

import keras

_GREY = 1
_COLOUR = 3
_IMAGE_AXES = 4  # [N, height, width, channels]


def build_trunk(
    network: keras.Model, height: int, width: int, reserved: Collection[str] = ()
) -> keras.Model:
    """Return a copy of a network up to its last maps, for grey images [N, height, width, 1].

    The layers of nested networks become layers of the copy, and all of them are trained. A layer
    keeps its name, unless another layer or one of the `reserved` names has it already. A network of
    colours is given three equal channels. The weights are copied.

    Raises:
        ValueError: the network does not take images of this size, or has no maps.
    """
    images = keras.Input((height, width, _GREY), name="images")
    signal = images
    if network.input_shape[-1] == _COLOUR:
        signal = three_channels(images)

    copying = _Copying({"images", *reserved})
    copying.replay(network, signal)
    if copying.last_maps is None:
        raise ValueError("it has no maps of features")

    trunk = keras.Model(images, copying.last_maps, name=network.name)
    copying.copy_weights(trunk)
    return trunk


def three_channels(images: Any) -> Any:
    """Return grey images as images of three equal channels."""
    return keras.layers.Concatenate(name="three_channels")([images] * _COLOUR)


class _Copying:
    """Copy of the layers of a network while it is called anew.

    `last_maps`: the last output [N, h, w, c] so far. An output of one cell, such as that of a gate
    or of a pooling over the whole image, is none.
    """

    def __init__(self, names: set[str]) -> None:
        self.last_maps: Any = None
        self._names = names
        self._copies: dict[int, tuple[keras.Layer, keras.Layer]] = {}

    def replay(self, network: keras.Model, signal: Any) -> Any:
        """Call copies of the network's layers, and return the last output."""
        if isinstance(network, keras.Sequential):
            for layer in network.layers:
                signal = self._call(layer, signal)
            return signal

        # `keras.models.clone_model` does the same, but cuts the graph between nested networks.
        run = network._run_through_graph  # noqa: SLF001
        return run([signal], operation_fn=lambda operation: operation, call_fn=self._call)

    def copy_weights(self, trunk: keras.Model) -> None:
        """Give the copies in the trunk the weights of their originals."""
        kept = {id(layer) for layer in trunk.layers}
        for original, copy in self._copies.values():
            if id(copy) in kept:
                copy.set_weights(original.get_weights())

    def _call(self, operation: Any, *arguments: Any, **options: Any) -> Any:
        """Call the copy of an operation, or the operation itself if it has no weights."""
        if isinstance(operation, keras.Model):
            return self.replay(operation, arguments[0])

        layer = self._copy_of(operation) if isinstance(operation, keras.Layer) else operation
        output = layer(*arguments, **options)
        if _is_map(output):
            self.last_maps = output
        return output

    def _copy_of(self, original: keras.Layer) -> keras.Layer:
        """Return the copy of a layer. A layer that is called twice has one copy."""
        if id(original) not in self._copies:
            config = original.get_config()
            config |= {"name": self._free_name(original.name), "trainable": True}
            self._copies[id(original)] = (original, type(original).from_config(config))

        return self._copies[id(original)][1]

    def _free_name(self, name: str) -> str:
        free = name
        number = 1
        while free in self._names:
            free = f"{name}_{number}"
            number += 1

        self._names.add(free)
        return free


def _is_map(output: Any) -> bool:
    shape = getattr(output, "shape", ())
    return len(shape) == _IMAGE_AXES and tuple(shape[1:3]) != (1, 1)
