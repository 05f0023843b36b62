"""First weights: those of a file, given to the layers of the same names."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

import h5py
import keras
import numpy as np

from training.errors import WeightsError
from training.networks.head import HEAD
from training.networks.keras_file import check_keras_file, load_network
from training.networks.torch_file import Numbers
from training.networks.trunk import build_trunk

Weights = Mapping[str, list[Numbers]]
"""Weights of each layer that has any, by its name, in the order of the network."""

_IMAGE_AXES = 4
_CHANNELS = (1, 3)
_VARIABLES = "vars"  # the weights of a layer, in a file of weights alone of Keras 3
_NAMES = "layer_names"  # attribute of a file of weights alone, as Keras wrote them until version 2
_NETWORK = "model_config"  # attribute of a file of a whole network

# Exceptions of `h5py` for damaged files, and for those of other programs.
_DAMAGES = (AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)


def load_first_weights(network: keras.Model, path: Path) -> None:
    """Give a backbone the weights in a file. Code in the file never runs.

    `path`: a Keras file of the whole network, of which the trunk counts, or of weights alone. Its
    layers are matched by name. If the names differ, they are matched in order, which every shape
    has to agree with.

    Raises:
        WeightsError: a layer is missing or superfluous, or has other shapes.
        RunError: the file is missing, damaged or another kind of file.
    """
    check_keras_file(path)
    alone = _read_alone(path, network)
    given, wanted = alone or (_weights_of_trunk(path, network), _leaves(network))
    _give(given, wanted, path, network.name)


def trunk_of_file(path: Path, height: int, width: int) -> keras.Model:
    """Return the trunk of the network in a Keras file, for grey images of this size.

    Raises:
        WeightsError: the network takes something else than one image, or images of one size only.
        RunError: the file is missing, damaged or another kind of file.
    """
    network = load_network(path)
    _check_takes_image(network, path)

    # Also a network that was saved in another type: the learner chooses the precision of training.
    for layer in network._flatten_layers():  # noqa: SLF001 - as in full_precision
        layer.dtype_policy = "float32"

    try:
        return build_trunk(network, height, width, HEAD)
    except (TypeError, ValueError) as error:
        line = next(iter(str(error).splitlines()), "no reason given")
        raise WeightsError(
            f"The network in {path} cannot be rebuilt for images of {height} x {width}: "
            f"{line[:200]}"
        ) from error


def _read_alone(
    path: Path, network: keras.Model
) -> tuple[Weights, Mapping[str, keras.Layer]] | None:
    """Return weights alone and the layers that they are for, or None for a file of a network.

    Raises:
        WeightsError: the file is damaged, or that of another program.
    """
    try:
        kind = _kind_of_weights(path)
        if kind == "by structure":
            return _read_structured(path, network), _leaves(network)
        if kind == "by name":
            return _read_named(path), _with_weights(network.layers)
    except _DAMAGES as error:
        raise WeightsError(
            f"{path} is damaged, or holds no weights of Keras ({type(error).__name__}: {error}): "
            "copy or save it again."
        ) from error

    return None


def _check_takes_image(network: keras.Model, path: Path) -> None:
    """Refuse a network whose layers cannot be seen, or that takes something else than an image."""
    shapes = [tensor.shape for tensor in getattr(network, "inputs", None) or ()]
    if [len(shape) for shape in shapes] != [_IMAGE_AXES] or shapes[0][-1] not in _CHANNELS:
        raise WeightsError(
            f"The network in {path} has to be a functional or sequential one that takes one image "
            "[N, height, width, 1 or 3] in [0, 1]."
        )


def _kind_of_weights(path: Path) -> str | None:
    """Return how a file of weights alone is built, or None for one of a network."""
    if not h5py.is_hdf5(path):
        return None

    with h5py.File(path, "r") as file:
        if _NETWORK in file.attrs:
            return None
        return "by name" if _NAMES in file.attrs else "by structure"


def _read_named(path: Path) -> Weights:
    """Return the weights in a file that names the layers: `*_notop.h5` of Keras."""
    weights = {}
    with h5py.File(path, "r") as file:
        for name in _texts(file.attrs[_NAMES]):
            group = file[name]
            arrays = [np.asarray(group[part]) for part in _texts(group.attrs["weight_names"])]
            if arrays:
                # Names of the first versions have a slash, in place of which there is a _ today.
                weights[name.replace("/", "_")] = arrays
    return weights


def _texts(attribute: Numbers) -> list[str]:
    return [text.decode() if isinstance(text, bytes) else str(text) for text in attribute]


def _read_structured(path: Path, network: keras.Model) -> Weights:
    """Return the weights in a `.weights.h5` file of Keras 3.

    It has the layers' classes, counted, in place of their names: those of `network` are taken. A
    layer that is in the file only keeps the name there.
    """
    weights = {}
    with h5py.File(path, "r") as file:
        names = dict(_numbered(network))
        for group in _groups_of_layers(file):
            variables = group[_VARIABLES]
            arrays = [np.asarray(variables[str(index)]) for index in range(len(variables))]
            if arrays:
                weights[names.get(group.name, group.name)] = arrays
    return weights


def _numbered(network: keras.Model, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the group that Keras 3 saves each layer in, and the layer's name."""
    counts: Counter[str] = Counter()
    for layer in network.layers:
        kind = _in_snake_case(type(layer).__name__)
        number = f"_{counts[kind]}" if counts[kind] else ""
        counts[kind] += 1
        group = f"{prefix}/layers/{kind}{number}"
        if isinstance(layer, keras.Model):
            yield from _numbered(layer, group)
        else:
            yield group, layer.name


def _in_snake_case(name: str) -> str:
    """Return the name of a class as Keras writes it: `batch_normalization`, `conv2d`."""
    parted = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", parted).lower()


def _groups_of_layers(group: h5py.Group) -> Iterator[h5py.Group]:
    """Yield the groups of the layers below a group, those of nested networks included."""
    for layer in group.get("layers", {}).values():
        if _VARIABLES in layer:
            yield layer
        yield from _groups_of_layers(layer)


def _weights_of_trunk(path: Path, network: keras.Model) -> Weights:
    """Return the weights of the trunk of a network in a file."""
    _, height, width, _ = network.input_shape
    trunk = trunk_of_file(path, height, width)
    return {
        name: [np.asarray(variable) for variable in _variables(layer)]
        for name, layer in _leaves(trunk).items()
    }


def _leaves(network: keras.Model) -> dict[str, keras.Layer]:
    """Return the layers with weights, out of the networks that they may be in."""
    leaves: dict[str, keras.Layer] = {}
    for layer in network.layers:
        inner = _leaves(layer) if isinstance(layer, keras.Model) else _with_weights([layer])
        leaves.update(inner)
    return leaves


def _with_weights(layers: Iterable[keras.Layer]) -> dict[str, keras.Layer]:
    return {layer.name: layer for layer in layers if layer.weights}


def _variables(layer: keras.Layer) -> list[keras.Variable]:
    """Return the weights in the order of Keras' files: those that are trained come first."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _give(given: Weights, wanted: Mapping[str, keras.Layer], path: Path, network: str) -> None:
    """Set the weights of the wanted layers to those that are given."""
    if set(given) != set(wanted) and _agree_in_order(given, wanted):
        given = dict(zip(wanted, given.values(), strict=True))
    _check(given, wanted, path, network)

    for name, layer in wanted.items():
        for variable, array in zip(_variables(layer), given[name], strict=True):
            variable.assign(array)


def _agree_in_order(given: Weights, wanted: Mapping[str, keras.Layer]) -> bool:
    """Return whether the layers have the same shapes one after another."""
    shapes = [[array.shape for array in arrays] for arrays in given.values()]
    return shapes == [_shapes(layer) for layer in wanted.values()]


def _check(given: Weights, wanted: Mapping[str, keras.Layer], path: Path, network: str) -> None:
    """Name the first layer that is in the file or in the network only, or has other shapes."""
    for name, layer in wanted.items():
        if name not in given:
            near = get_close_matches(name, given, n=1)
            hint = f"; the nearest is {near[0]!r}" if near else ""
            raise WeightsError(f"{path} has no layer {name!r} of {network}{hint}.")

        shapes = [array.shape for array in given[name]]
        if shapes != _shapes(layer):
            raise WeightsError(
                f"Layer {name!r} of {path} has weights of the shapes {shapes}, but that of "
                f"{network} has {_shapes(layer)}."
            )

    superfluous = [name for name in given if name not in wanted]
    if superfluous:
        raise WeightsError(
            f"{path} has a layer {superfluous[0]!r}, but the backbone {network} has none. A file "
            "of weights alone has to be one without the classifier."
        )


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    return [tuple(variable.shape) for variable in _variables(layer)]
