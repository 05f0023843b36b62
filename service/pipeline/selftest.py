"""Self-test of a model: reproduce its golden case, and run every path once."""

import numpy as np

from service import explanation, imaging
from service.errors import BundleMismatch
from service.geometry import IDENTITY
from service.model import GoldenCase, Model
from service.records import Floats, MapState, Method, Pixels


def golden_case(
    model: Model, pixels: Pixels, layer: str, class_index: int
) -> tuple[GoldenCase, MapState]:
    """Compute the golden case of those pixels, and the state of its heatmap.

    The export stores the case. Every start computes it again with this same function.
    """
    image = imaging.fit(pixels, model.manifest.preprocessing).image
    return _answer(model, pixels, image, layer, class_index)


def replay(model: Model, golden: GoldenCase) -> None:
    """Check that fit, prediction and heatmap of the golden case are those of the export.

    The case of an older bundle was made with an earlier fit. It begins with the stored fitted
    image, so its fit is not checked.

    Raises:
        BundleMismatch: they are not, so training and serving differ.
    """
    if model.manifest.is_older:
        image = golden.image
    else:
        image = imaging.fit(golden.pixels, model.manifest.preprocessing).image

    replayed, _ = _answer(model, golden.pixels, image, golden.layer, golden.class_index)
    differences = golden.compare(replayed.image, replayed.probabilities, replayed.heatmap)

    if differences:
        raise BundleMismatch(
            "The bundle does not reproduce its golden case: " + "; ".join(differences) + "."
        )


def _answer(
    model: Model, pixels: Pixels, image: Floats, layer: str, class_index: int
) -> tuple[GoldenCase, MapState]:
    """Return the model's answer for a fitted image as a case, and the state of its heatmap."""
    probabilities = model.predict(image[None]).probabilities[0]

    class_indices = np.array([class_index], np.int32)
    gradients = model.layer_gradients(layer, image[None], class_indices)
    heatmap = explanation.heatmap(
        Method.GRAD_CAM, gradients.maps[0], gradients.gradients[0], IDENTITY
    )

    case = GoldenCase(pixels, image, probabilities, layer, class_index, heatmap.values)
    return case, heatmap.state


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
