"""Self-test of a model: its golden case, and one run of every path."""

import numpy as np

from service import explanation, imaging
from service.errors import BundleMismatch
from service.geometry import IDENTITY
from service.model import GoldenCase, Model
from service.records import MapState, Method, Pixels


def golden_case(
    model: Model, pixels: Pixels, layer: str, class_index: int
) -> tuple[GoldenCase, MapState]:
    """What fit, prediction and heatmap make of those pixels, and whether the heatmap says anything.

    The export keeps it and every start makes it anew, by this one function.
    """
    image = imaging.fit(pixels, model.manifest.preprocessing).image
    probabilities = model.predict(image[None]).probabilities[0]
    found = model.layer_gradients(layer, image[None], np.array([class_index], np.int32))
    heatmap = explanation.heatmap(Method.GRAD_CAM, found.maps[0], found.gradients[0], IDENTITY)
    return GoldenCase(
        pixels, image, probabilities, layer, class_index, heatmap.values
    ), heatmap.state


def replay(model: Model, golden: GoldenCase) -> None:
    """Makes sure that fit, prediction and heatmap of the golden case come out as they did when it was exported.

    Raises:
        BundleMismatch: they do not, so training and serving have drifted apart.
    """
    again, _ = golden_case(model, golden.pixels, golden.layer, golden.class_index)
    differences = golden.compare(again.image, again.probabilities, again.heatmap)
    if differences:
        raise BundleMismatch(
            "The bundle does not reproduce its golden case: " + "; ".join(differences) + "."
        )


def warm(model: Model) -> None:
    """Runs every path of the model once, so that no caller pays for the first time; larger batches cost none."""
    images, classes = np.zeros((1, *model.manifest.input_shape), np.float32), np.zeros(1, np.int32)
    model.predict(images)
    model.activations(images)
    model.input_gradients(images, classes)
    for layer in model.manifest.layers:
        model.layer_gradients(layer.name, images, classes)
