"""Self-test of a model: reproduce its golden case, and run every path once."""

import numpy as np

from service import explanation, imaging
from service.errors import BundleMismatch
from service.geometry import IDENTITY
from service.model import GoldenCase, Model
from service.records import MapState, Method, Pixels


def golden_case(
    model: Model, pixels: Pixels, layer: str, class_index: int
) -> tuple[GoldenCase, MapState]:
    """Compute the golden case of those pixels, and the state of its heatmap.

    The export stores the case. Every start computes it again with this same function.
    """
    image = imaging.fit(pixels, model.manifest.preprocessing).image
    probabilities = model.predict(image[None]).probabilities[0]

    class_indices = np.array([class_index], np.int32)
    gradients = model.layer_gradients(layer, image[None], class_indices)
    heatmap = explanation.heatmap(
        Method.GRAD_CAM, gradients.maps[0], gradients.gradients[0], IDENTITY
    )

    case = GoldenCase(pixels, image, probabilities, layer, class_index, heatmap.values)
    return case, heatmap.state


def replay(model: Model, golden: GoldenCase) -> None:
    """Check that fit, prediction and heatmap of the golden case are those of the export.

    Raises:
        BundleMismatch: they are not, so training and serving differ.
    """
    replayed, _ = golden_case(model, golden.pixels, golden.layer, golden.class_index)
    differences = golden.compare(replayed.image, replayed.probabilities, replayed.heatmap)

    if differences:
        raise BundleMismatch(
            "The bundle does not reproduce its golden case: " + "; ".join(differences) + "."
        )


def warm(model: Model) -> None:
    """Run every path of the model once, so that no request pays for the first run.

    One image is enough: larger batches cost nothing extra the first time.
    """
    images = np.zeros((1, *model.manifest.input_shape), np.float32)
    classes = np.zeros(1, np.int32)

    model.predict(images)
    model.activations(images)
    model.input_gradients(images, classes)
    for layer in model.manifest.layers:
        model.layer_gradients(layer.name, images, classes)
