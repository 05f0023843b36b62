"""Passes of the model: their number, and batches that change nothing."""

from typing import Any

import numpy as np
import pytest

from service.explanation import METHODS
from service.model import Bundle, FakeModel, Manifest, Model
from service.pipeline import count_passes
from service.pipeline.class_explanation import ClassExplanation, Subject, explain_class
from service.records import Floats, Method

INPUT_METHODS = [method for method in Method if method not in METHODS]


class CountingModel:
    """Model that counts its forward and backward passes of images."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.passes = 0
        self.largest_batch = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def predict(self, images: Floats) -> Any:
        self._count(images, 1)
        return self._model.predict(images)

    def layer_gradients(self, layer: str, images: Floats, classes: Any) -> Any:
        self._count(images, 2)
        return self._model.layer_gradients(layer, images, classes)

    def input_gradients(self, images: Floats, classes: Any) -> Any:
        self._count(images, 2)
        return self._model.input_gradients(images, classes)

    def _count(self, images: Floats, passes: int) -> None:
        self.passes += passes * len(images)
        self.largest_batch = max(self.largest_batch, len(images))


def breast_of(manifest: Manifest) -> Subject:
    """Return a noisy half disc at the left edge, with a bright spot."""
    height, width, _ = manifest.input_shape
    y, x = np.mgrid[:height, :width]
    mask = (x / (0.8 * width)) ** 2 + ((y - height / 2) / (0.48 * height)) ** 2 < 1

    noise = np.random.default_rng(8).random((height, width))
    spot = np.exp(-((x - width / 3) ** 2 + (y - height / 2) ** 2) / 18)
    image = np.where(mask, 0.3 + 0.2 * noise + 0.5 * spot, 0)
    return Subject(image[..., None].astype(np.float32), mask)


def explain(model: Model, method: Method, *, full: bool) -> ClassExplanation:
    layer = model.manifest.default_layer
    return explain_class(model, breast_of(model.manifest), method, layer, 1, full=full)


@pytest.mark.parametrize("method", METHODS)
def test_full_diagnostics_take_seventy_passes(method: Method) -> None:
    """One map and four of noisy copies take two passes each, insertion and deletion sixty."""
    model = CountingModel(FakeModel())

    explained = explain(model, method, full=True)

    assert {"stability", "insertion_gap", "deletion_gap"} <= explained.figures.keys()
    assert model.passes == 5 * 2 + 2 * 5 * 6 == 70
    assert count_passes(model.manifest, method, full=True) == 70


def test_quick_layer_method_takes_two_passes() -> None:
    model = CountingModel(FakeModel())

    explain(model, Method.GRAD_CAM, full=False)

    assert model.passes == count_passes(model.manifest, Method.GRAD_CAM, full=False) == 2


@pytest.mark.parametrize(
    ("method", "passes"),
    [(Method.INTEGRATED_GRADIENTS, 2 * 128 + 3), (Method.SMOOTH_GRAD, 2 * 16 + 1)],
)
@pytest.mark.parametrize("full", [False, True])
def test_input_methods_take_the_counted_passes(method: Method, passes: int, *, full: bool) -> None:
    model = CountingModel(FakeModel())
    expected = 5 * passes + 60 if full else passes

    explain(model, method, full=full)

    assert model.passes == count_passes(model.manifest, method, full=full) == expected


def test_occlusion_takes_at_least_the_counted_passes() -> None:
    """Of 15 x 11 windows of 16 pixels on 128 x 96, half are counted."""
    model = CountingModel(FakeModel())

    explain(model, Method.OCCLUSION, full=False)

    counted = count_passes(model.manifest, Method.OCCLUSION, full=False)
    assert counted == 2 + 15 * 11 // 2
    assert counted <= model.passes <= 2 + 15 * 11


@pytest.mark.parametrize("method", [Method.GRAD_CAM, *INPUT_METHODS])
@pytest.mark.parametrize("images_per_call", [1, 5])
def test_batches_do_not_change_the_explanation(
    method: Method, images_per_call: int, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = method is Method.GRAD_CAM
    expected = explain(bundle, method, full=full)
    monkeypatch.setattr(Manifest, "images_per_call", images_per_call)
    model = CountingModel(bundle)

    explained = explain(model, method, full=full)

    assert model.largest_batch == images_per_call
    peak = np.abs(expected.heatmap.values).max()
    assert peak > 0
    np.testing.assert_allclose(
        explained.heatmap.values, expected.heatmap.values, rtol=0, atol=1e-4 * peak
    )
    assert explained.figures == pytest.approx(expected.figures, rel=1e-3, abs=1e-4)
