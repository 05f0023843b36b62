"""Compilation of a network's signatures, on each backend of Keras."""

# ruff: noqa: PLC0415 - the library of one backend alone may be installed

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from service.records import Floats
from training.introspection.signatures import Signature

Compiled = Callable[..., dict[str, Floats]]
"""Takes arrays of one length, and returns float32 arrays of this length by name."""


def compiled(network: keras.Model, signature: Signature, batch: int) -> Compiled:
    """Return a function that computes a signature of the network. It is traced at its first call.

    It computes with the weights that the network has when it is called. `batch`: number of images
    that a call has at most, as a rule.
    """
    return _BY_BACKEND[keras.backend.backend()](network, signature, batch)


def _with_tensorflow(_network: keras.Model, signature: Signature, _batch: int) -> Compiled:
    import tensorflow as tf

    inputs = [tf.TensorSpec(spec.shape, spec.dtype, spec.name) for spec in signature.inputs]
    function = tf.function(signature.function, input_signature=inputs)

    def compute(*arrays: np.ndarray) -> dict[str, Floats]:
        # A concrete function, because a benchmark makes many networks and TensorFlow would warn
        # that one function is traced again and again.
        outputs = function.get_concrete_function()(*map(tf.constant, arrays))
        return {name: np.asarray(tensor, np.float32) for name, tensor in outputs.items()}

    return compute


def _with_jax(network: keras.Model, signature: Signature, batch: int) -> Compiled:
    import jax

    variables = network.variables

    def function(values: list[Any], *inputs: Any) -> dict[str, Any]:
        weights = zip(variables, values, strict=True)
        with keras.StatelessScope(state_mapping=weights):
            return signature.function(*inputs)

    traced = jax.jit(function)

    def compute(*arrays: np.ndarray) -> dict[str, Floats]:
        values = [variable.value for variable in variables]
        count = len(arrays[0])
        # JAX compiles a function anew for each number of images: let there be two of them.
        size = 1 if count == 1 else max(count, batch)
        outputs = traced(values, *(_padded(array, size) for array in arrays))
        return {name: np.array(array, np.float32)[:count] for name, array in outputs.items()}

    return compute


def _padded(array: np.ndarray, size: int) -> np.ndarray:
    """Return the array with its last item repeated until there are `size` of them."""
    return np.concatenate([array, np.repeat(array[-1:], size - len(array), axis=0)])


_BY_BACKEND: dict[str, Callable[[keras.Model, Signature, int], Compiled]] = {
    "tensorflow": _with_tensorflow,
    "jax": _with_jax,
}
