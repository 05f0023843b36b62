"""Taps: the tensors in which the maps of convolutional layers are taken.

The rest of a network seldom reads a convolution's own output. Batch normalisation moves its zero
level, an activation cuts a part of it off, and a residual connection adds to it. The chain of a
convolution is followed through these operations for as long as each of them is the only one that
reads the output of the one before. The end of the chain is the tap.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras

from training.introspection.hooks import Observer, OperationCall

Keep = Callable[[str, Any], Any]
"""Takes the name of a layer and its maps, and returns other maps to go on with, or None."""

Readers = Mapping[int, Sequence[OperationCall]]
"""The calls that read a tensor, by the tensor's `id`."""

_NORMALISATIONS = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
    keras.layers.RMSNormalization,
    keras.layers.UnitNormalization,
)
_ACTIVATIONS = (
    keras.layers.Activation,
    keras.layers.ELU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ReLU,
)
_MERGES = (keras.layers.Add, keras.layers.Concatenate)

# Names of the classes behind the functions of `keras.ops`. Keras does not publish the classes.
_NORMALISING = {"BatchNorm", "LayerNorm", "RMSNorm"}
_ACTIVATING = {
    *("Celu", "Clip", "Elu", "Gelu", "HardShrink", "HardSigmoid", "HardSilu", "HardTanh"),
    *("LeakyRelu", "LogSigmoid", "Relu", "Relu6", "Selu", "Sigmoid", "Silu", "SoftShrink"),
    *("Softplus", "Softsign", "SparsePlus", "SparseSigmoid", "Squareplus", "Tanh", "TanhShrink"),
}
_MERGING = {"Add", "Concatenate"}
_SCALING = {"Add", "Divide", "Maximum", "Minimum", "Multiply", "Subtract", "TrueDivide"}


def readers_of(calls: Iterable[OperationCall]) -> Readers:
    """Return the calls that read each tensor.

    A call that returns its input unchanged, such as dropout in a prediction, reads nothing: its
    output is the same tensor, and the calls that read that are counted.
    """
    readers: dict[int, list[OperationCall]] = {}
    for call in calls:
        tensors = {id(tensor) for tensor in call.inputs}
        if id(call.output) not in tensors:
            for tensor in tensors:
                readers.setdefault(tensor, []).append(call)

    return readers


def chain_of(convolution: OperationCall, readers: Readers) -> list[OperationCall]:
    """Return the calls from the convolution to the one whose output is its tap.

    The convolution is followed by its normalisation and its activation, if these are not part of
    it. A sum or a concatenation of maps may follow them. It begins anew: its own normalisation and
    activation are followed, too.
    """
    chain = [convolution]
    is_activated = convolution.operation.activation is not keras.activations.linear

    while following := _next(chain[-1], readers):
        last = following[-1]
        if _is_merge(last):
            is_activated = False
        elif is_activated:
            break
        else:
            is_activated = not _is_normalisation(last)
        chain += following

    return chain


def tap_observer(taps: Mapping[str, Sequence[str]], keep: Keep) -> Observer:
    """Return an observer that calls `keep(layer, tensor)` with the tap of each layer.

    `taps`: by layer, the names of the calls in its chain. The observer serves one pass of the
    network. An operation may be called several times, as a shared activation is. Its call in the
    chain is the one that reads the output of the chain's call before.

    A tensor that `keep` returns takes the place of the tap in the rest of the network.
    """
    reached: dict[str, list[Any]] = {layer: [] for layer in taps}

    def observe(call: OperationCall) -> Any:
        output = call.output
        following = [
            layer for layer, names in taps.items() if _goes_on(call, names, reached[layer])
        ]
        for layer in following:
            if len(reached[layer]) == len(taps[layer]) - 1:
                replacement = keep(layer, output)
                output = output if replacement is None else replacement

        # The calls after this one read the replacement.
        for layer in following:
            reached[layer].append(output)
        return output

    return observe


def _goes_on(call: OperationCall, names: Sequence[str], reached: Sequence[Any]) -> bool:
    """Return whether the call is the next one of a chain, whose outputs so far are `reached`."""
    if len(reached) == len(names) or call.name != names[len(reached)]:
        return False
    return not reached or any(tensor is reached[-1] for tensor in call.inputs)


def _next(call: OperationCall, readers: Readers) -> list[OperationCall]:
    """Return the calls by which the chain goes on after `call`, or none at its end."""
    following = readers.get(id(call.output), ())
    if len(following) != 1:
        return _self_gate(following, readers)

    (only,) = following
    goes_on = _is_normalisation(only) or _is_activation(only) or _is_merge(only)
    return [only] if goes_on else []


def _self_gate(following: Sequence[OperationCall], readers: Readers) -> list[OperationCall]:
    """Return the calls of an activation that is written as x * f(x), such as x * sigmoid(x).

    `following`: the calls that read x. None are returned if they are no such activation.
    """
    if len(following) != 2:  # noqa: PLR2004 - the product and the beginning of f
        return []

    for first in following:
        path = [first]
        while _is_elementwise(path[-1]):
            after = readers.get(id(path[-1].output), ())
            if len(after) != 1:
                break
            path.append(after[0])
        if any(path[-1] is call for call in following) and _is_product(path[-1]):
            return path

    return []


def _is_normalisation(call: OperationCall) -> bool:
    return isinstance(call.operation, _NORMALISATIONS) or _kind(call) in _NORMALISING


def _is_activation(call: OperationCall) -> bool:
    # maximum(x, 0) is an activation. The maximum of two maps is not.
    is_cut = _kind(call) in {"Maximum", "Minimum"} and len(call.inputs) == 1
    return isinstance(call.operation, _ACTIVATIONS) or _kind(call) in _ACTIVATING or is_cut


def _is_merge(call: OperationCall) -> bool:
    return isinstance(call.operation, _MERGES) or _kind(call) in _MERGING


def _is_product(call: OperationCall) -> bool:
    return isinstance(call.operation, keras.layers.Multiply) or _kind(call) == "Multiply"


def _is_elementwise(call: OperationCall) -> bool:
    """Return whether the call is an activation, or arithmetic with a constant."""
    return _is_activation(call) or (_kind(call) in _SCALING and len(call.inputs) == 1)


def _kind(call: OperationCall) -> str:
    """Return the name of the class of an operation of `keras.ops`, or "" for a layer."""
    return "" if isinstance(call.operation, keras.Layer) else type(call.operation).__name__
