"""Warnings about a method at a layer, with the fake model under other manifests."""

from dataclasses import replace

import numpy as np
import pytest

from service.explanation import METHODS
from service.model import FakeModel
from service.pipeline.assessment import assess_heatmap
from service.pipeline.class_explanation import Subject, explain_class
from service.records import Method

CODE = "method-unsuited-to-layer"


def messages(methods: tuple[Method, ...] | None, asked: Method) -> list[str]:
    """Return the warnings' messages about `asked`, where `methods` suit the layer."""
    model = FakeModel()
    (layer,) = model.manifest.layers
    layers = (replace(layer, methods=methods),)
    model.manifest = model.manifest.model_copy(update={"layers": layers})

    height, width, _ = model.manifest.input_shape
    image = np.random.default_rng(3).random((height, width, 1), np.float32)
    subject = Subject(image, np.ones((height, width), np.bool_))
    explained = explain_class(model, subject, asked, layer.name, 1, full=False)

    assert explained.method is asked
    warnings = assess_heatmap(model, explained, 1).warnings
    return [warning.message for warning in warnings if warning.code == CODE]


def test_unsuited_method_is_answered_with_those_that_suit() -> None:
    (message,) = messages((Method.HIRES_CAM, Method.LAYER_CAM), Method.GRAD_CAM)

    assert "conv2d, grad-cam means little" in message
    assert "hires-cam and layer-cam mean something" in message


def test_layer_without_suited_method_names_input_methods() -> None:
    (message,) = messages((), Method.HIRES_CAM)

    assert "integrated-gradients, smooth-grad and occlusion" in message


@pytest.mark.parametrize("asked", [Method.HIRES_CAM, Method.SMOOTH_GRAD])
def test_suited_and_input_methods_have_no_warning(asked: Method) -> None:
    assert messages((Method.HIRES_CAM, Method.LAYER_CAM), asked) == []


def test_bundle_that_does_not_say_has_no_warning() -> None:
    assert messages(None, Method.GRAD_CAM) == []


def test_fake_suits_every_method_of_a_layer() -> None:
    (layer,) = FakeModel().manifest.layers

    assert set(layer.methods or ()) == set(METHODS)
