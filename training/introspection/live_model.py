"""Keras classifier in memory that answers as its exported bundle would."""

import keras

from service.model import ClassIndices, Curves, Manifest, Scorecard, gradcam_signature
from service.records import Domain, Floats, LayerGradients, Scores
from training.introspection.compiled import compiled
from training.introspection.signatures import Explained


class LiveModel:
    """A `service.model.Model` over a network in memory. A signature is traced at its first call.

    It answers with the weights that the network has at that moment.
    """

    digest = ""
    curves: Curves | None = None

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
            name: compiled(network, signature, manifest.images_per_call)
            for name, signature in explained(network, manifest).signatures().items()
        }

    def predict(self, images: Floats) -> Scores:
        """Return probabilities and logits [N, classes], and features [N, d]."""
        return _scores(self._functions["serving_default"](images))

    def activations(self, images: Floats) -> dict[str, Floats]:
        """Return the maps [N, h, w, filters] of each layer in the manifest, by name."""
        return self._functions["activations"](images)

    def layer_gradients(self, layer: str, images: Floats, classes: ClassIndices) -> LayerGradients:
        """Return a layer's maps, the gradients of each image's class margin to them, and scores."""
        outputs = self._functions[gradcam_signature(layer)](images, classes)
        return LayerGradients(outputs["maps"], outputs["gradients"], _scores(outputs))

    def input_gradients(self, images: Floats, classes: ClassIndices) -> Floats:
        """Return the gradients [N, height, width, 1] of each image's class margin to its pixels."""
        return self._functions["input_gradients"](images, classes)["gradients"]


def explained(network: keras.Model, manifest: Manifest) -> Explained:
    """Return the network with its signatures, as the manifest describes them."""
    height, width, _ = manifest.input_shape
    taps = {layer.name: layer.tap for layer in manifest.layers}
    return Explained(
        network,
        taps,
        height,
        width,
        manifest.temperature,
        manifest.feature_layers,
        manifest.offset,
        manifest.positive_index,
    )


def _scores(outputs: dict[str, Floats]) -> Scores:
    return Scores(outputs["probabilities"], outputs["logits"], outputs["features"])
