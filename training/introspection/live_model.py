"""A Keras classifier that answers as its bundle would, before there is one."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from service.model import ClassIndices, Manifest, Scorecard, gradcam_signature
from service.records import Domain, Floats, LayerGradients, Scores
from training.introspection.signatures import Explained


class LiveModel:
    """The model of `service.model.Model` over a network in memory; each signature is traced when it is first asked."""

    digest = ""

    def __init__(
        self,
        network: keras.Model,
        manifest: Manifest,
        domain: Domain | None = None,
        scorecard: Scorecard | None = None,
    ) -> None:
        self.network = network
        self.manifest = manifest
        self.domain = domain
        self.scorecard = scorecard
        self._functions = {
            name: tf.function(signature.function, input_signature=signature.inputs)
            for name, signature in explained(network, manifest).signatures().items()
        }

    def predict(self, images: Floats) -> Scores:
        """Probabilities and logits [N, classes], and features."""
        return _scores(self._run("serving_default", images))

    def activations(self, images: Floats) -> dict[str, Floats]:
        """The maps [N, h, w, filters] of every layer in the manifest, by name."""
        return self._run("activations", images)

    def layer_gradients(self, layer: str, images: Floats, classes: ClassIndices) -> LayerGradients:
        """A layer's maps and the gradients of each image's class margin to them."""
        found = self._run(gradcam_signature(layer), images, classes)
        return LayerGradients(found["maps"], found["gradients"], _scores(found))

    def input_gradients(self, images: Floats, classes: ClassIndices) -> Floats:
        """The gradients [N, height, width, 1] of each image's class margin to its pixels."""
        return self._run("input_gradients", images, classes)["gradients"]

    def _run(self, signature: str, *inputs: np.ndarray) -> dict[str, Floats]:
        # The concrete function: TensorFlow would take the many networks of a scorecard for one that is traced anew.
        outputs = self._functions[signature].get_concrete_function()(*map(tf.constant, inputs))
        return {name: tensor.numpy() for name, tensor in outputs.items()}


def explained(network: keras.Model, manifest: Manifest) -> Explained:
    """What the bundle of that network and manifest can be asked."""
    height, width, _ = manifest.input_shape
    names: Sequence[str] = [layer.name for layer in manifest.layers]
    return Explained(network, names, height, width, manifest.temperature, manifest.feature_layers)


def _scores(found: dict[str, Floats]) -> Scores:
    return Scores(found["probabilities"], found["logits"], found["features"])
