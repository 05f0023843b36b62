"""Gradients of scores with respect to a tensor inside a network, on each backend of Keras."""

# ruff: noqa: PLC0415 - the library of one backend alone may be installed

from collections.abc import Callable
from typing import Any, NamedTuple

import keras

Watch = Callable[[Any], Any]
"""Takes a tensor, and returns the tensor that the computation has to go on with."""

Computation = Callable[[Watch], tuple[Any, Any]]
"""Computes scores [N] and further tensors, and has one tensor [N, ...] watched on the way."""


class Gradients(NamedTuple):
    """The watched tensor, the gradients of the scores to it, and the further tensors.

    The gradients have the shape of the tensor. They are zero if no score depends on it.
    """

    tensor: Any
    gradients: Any
    further: Any


def differentiate(compute: Computation) -> Gradients:
    """Return the gradients of the scores to the tensor that the computation has watched.

    Nothing before that tensor is differentiated.
    """
    return _BY_BACKEND[keras.backend.backend()](compute)


def _with_tensorflow(compute: Computation) -> Gradients:
    import tensorflow as tf

    watched: list[Any] = []

    def watch(tensor: Any) -> Any:
        tape.watch(tensor)
        watched.append(tensor)
        return tensor

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        scores, further = compute(watch)

    gradients = tape.gradient(scores, watched[0], unconnected_gradients="zero")
    return Gradients(watched[0], gradients, further)


def _with_jax(compute: Computation) -> Gradients:
    """Differentiate with respect to zeros that are added to the watched tensor."""
    import jax

    def watched_tensor() -> Any:
        watched: list[Any] = []

        def watch(tensor: Any) -> Any:
            watched.append(tensor)
            return tensor

        compute(watch)
        return watched[0]

    def compute_beside(zeros: Any) -> tuple[Any, tuple[Any, Any]]:
        watched: list[Any] = []

        def watch(tensor: Any) -> Any:
            watched.append(tensor + zeros)
            return watched[0]

        scores, further = compute(watch)
        return scores, (watched[0], further)

    # The shape of the tensor is known once the network has been traced.
    shape = jax.eval_shape(watched_tensor)
    zeros = jax.numpy.zeros(shape.shape, shape.dtype)
    scores, pull_back, (tensor, further) = jax.vjp(compute_beside, zeros, has_aux=True)

    (gradients,) = pull_back(jax.numpy.ones_like(scores))
    return Gradients(tensor, gradients, further)


_BY_BACKEND: dict[str, Callable[[Computation], Gradients]] = {
    "tensorflow": _with_tensorflow,
    "jax": _with_jax,
}
