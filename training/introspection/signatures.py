"""Signatures of a bundle: scores, maps of layers, and gradients of a class margin.

The differentiated score is the margin z_c - log sum exp of the other logits. For two classes it is
z_c - z_other. Unlike the probability it does not saturate: in float32 the softmax's gradient
vanishes near p = 1, and the map with it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from service.model import gradcam_signature
from training.errors import NotExplainable
from training.introspection.differentiation import Watch, differentiate
from training.introspection.hooks import observed, operations
from training.introspection.taps import Keep, tap_observer


@dataclass(frozen=True, slots=True)
class Signature:
    """A function from tensors to named tensors, and the specification of its inputs."""

    function: Callable[..., dict[str, Any]]
    inputs: tuple[keras.InputSpec, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """A classifier and the layers to explain.

    `taps`: by layer, the operations from its convolution to the one whose output its maps are.
    `height`, `width`: size of the input. `temperature`: divides the logits before the softmax.
    `feature_layers`: the layers whose filters' means are the features of an image, in this order.
    `offset`: log-odds that are added after the temperature to the class of index `positive`.

    The methods are bodies of compiled functions. They take images [N, height, width, 1] and class
    indices [N], and return named tensors. Dropout and the like are off, as in every prediction.
    """

    model: keras.Model
    taps: Mapping[str, Sequence[str]]
    height: int
    width: int
    temperature: float
    feature_layers: Sequence[str]
    offset: float = 0.0
    positive: int = 1

    def signatures(self) -> dict[str, Signature]:
        """Return every signature of the bundle, by name."""
        size = (None, self.height, self.width, 1)
        images = keras.InputSpec("float32", size, name="images")
        class_index = keras.InputSpec("int32", (None,), name="class_index")

        return {
            "serving_default": Signature(self.scores, (images,)),
            "activations": Signature(self.activations, (images,)),
            "input_gradients": Signature(self.input_gradients, (images, class_index)),
            **{
                gradcam_signature(layer): Signature(self.gradcam(layer), (images, class_index))
                for layer in self.taps
            },
        }

    def scores(self, images: Any) -> dict[str, Any]:
        """Return calibrated probabilities and raw logits [N, classes], and features [N, d]."""
        features: dict[str, Any] = {}
        logits = self._logits(images, self._keep_features(features))
        return self._answer(logits, features)

    def activations(self, images: Any) -> dict[str, Any]:
        """Return each layer's maps [N, h, w, filters], by name."""
        maps: dict[str, Any] = {}
        self._logits(images, maps.__setitem__)
        return {layer: maps[layer] for layer in self.taps}

    def gradcam(self, layer: str) -> Callable[..., dict[str, Any]]:
        """Return a function for a layer's maps, the margin's gradients to them, and the scores."""

        def explain(images: Any, class_index: Any) -> dict[str, Any]:
            def compute(watch: Watch) -> tuple[Any, Any]:
                features: dict[str, Any] = {}
                keep_features = self._keep_features(features)

                def keep(name: str, tensor: Any) -> Any:
                    watched = watch(tensor) if name == layer else tensor
                    keep_features(name, watched)
                    return watched

                logits = self._logits(images, keep)
                return _margin(logits, class_index), (logits, features)

            maps, gradients, (logits, features) = differentiate(compute)
            return {"maps": maps, "gradients": gradients, **self._answer(logits, features)}

        return explain

    def input_gradients(self, images: Any, class_index: Any) -> dict[str, Any]:
        """Return the margin's gradients [N, height, width, 1] to the pixels."""

        def compute(watch: Watch) -> tuple[Any, None]:
            return _margin(self._logits(watch(images)), class_index), None

        return {"gradients": differentiate(compute).gradients}

    def _logits(self, images: Any, keep: Keep = lambda _layer, _maps: None) -> Any:
        """Return the logits [N, classes], and pass the maps of each layer to `keep`.

        A single unit is the second logit after a zero.
        """
        channels = self.model.input_shape[-1]
        observer = tap_observer(self.taps, keep)
        with observed(self.model, observer), _linear_head(self.model):
            outputs = self.model(ops.repeat(images, channels, axis=-1), training=False)

        if outputs.shape[-1] == 1:
            return ops.concatenate([ops.zeros_like(outputs), outputs], axis=-1)
        return outputs

    def _keep_features(self, features: dict[str, Any]) -> Keep:
        """Return a function that stores the means [N, filters] of the feature layers."""

        def keep(layer: str, tensor: Any) -> None:
            if layer in self.feature_layers:
                features[layer] = ops.mean(tensor, axis=(1, 2))

        return keep

    def _answer(self, logits: Any, features: dict[str, Any]) -> dict[str, Any]:
        offsets = np.zeros(logits.shape[-1])
        offsets[self.positive] = self.offset
        calibrated = logits / self.temperature + ops.convert_to_tensor(offsets, logits.dtype)

        return {
            "probabilities": ops.softmax(calibrated),
            "logits": logits,
            "features": ops.concatenate(
                [features[layer] for layer in self.feature_layers], axis=-1
            ),
        }


def class_count(model: keras.Model) -> int:
    """Return the number of classes of the network. One unit, that of a sigmoid, has two."""
    units = int(model.output_shape[-1])
    return 2 if units == 1 else units


def _margin(logits: Any, class_index: Any) -> Any:
    """Return the margins [N] of the classes."""
    chosen = ops.one_hot(class_index, logits.shape[-1], dtype="bool")
    others = ops.where(chosen, -np.inf, logits)

    return ops.sum(ops.where(chosen, logits, 0.0), axis=-1) - ops.logsumexp(others, axis=-1)


@contextmanager
def _linear_head(model: keras.Model) -> Iterator[None]:
    """Make the network return its logits, the inputs of its last softmax or sigmoid."""
    *_, (name, head) = operations(model)
    linear: Callable[..., Any]
    if isinstance(head, keras.layers.Softmax):
        attribute = "call"
        linear = _identity
    elif isinstance(head, keras.layers.Dense | keras.layers.Activation):
        _check_activation(name, head, model.output_shape[-1])
        attribute = "activation"
        linear = keras.activations.linear
    else:
        raise NotExplainable(
            f"The last layer {name!r} ({type(head).__name__}) does not say whether it gives logits "
            "or probabilities; end the network with a Dense, Activation or Softmax layer."
        )

    original = getattr(head, attribute)
    setattr(head, attribute, linear)
    try:
        yield
    finally:
        setattr(head, attribute, original)


def _check_activation(name: str, head: keras.Layer, units: int) -> None:
    """Refuse an activation of the last layer that does not give the probabilities of classes."""
    single = units == 1
    logistic = keras.activations.sigmoid if single else keras.activations.softmax
    if head.activation not in (logistic, keras.activations.linear):
        raise NotExplainable(
            f"The last layer {name!r} has {units} unit{'' if single else 's'} and the activation "
            f"{keras.activations.serialize(head.activation)!r}; supported are a softmax over two "
            "or more units, a sigmoid over one, or no activation."
        )


def _identity(inputs: Any, mask: Any = None) -> Any:  # noqa: ARG001 - Softmax is called with a mask
    return inputs
