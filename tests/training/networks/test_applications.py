"""Backbones of `keras.applications`: flat networks of grey images, scaled as theirs are."""

from typing import Any

import keras
import numpy as np
import pytest

from training.introspection.receptive_field import convolutional_layers
from training.network_config import Backbone
from training.networks.backbone import build_backbone

# Means and deviations of ImageNet's colours, which these two networks hold inside them: their
# `preprocess_input` leaves images as they are.
MEAN = np.array([0.485, 0.456, 0.406])
DEVIATION = np.array([0.229, 0.224, 0.225])


def standardised(colours: Any) -> Any:
    return (colours / 255 - MEAN) / DEVIATION


@pytest.mark.parametrize(
    ("kind", "preprocess"),
    [
        pytest.param("convnext-tiny", standardised, marks=pytest.mark.interop),
        pytest.param(
            "densenet121",
            keras.applications.densenet.preprocess_input,
            marks=pytest.mark.interop,
        ),
        ("efficientnetv2-b0", standardised),
        ("mobilenetv2", keras.applications.mobilenet_v2.preprocess_input),
        ("resnet50", keras.applications.resnet.preprocess_input),
    ],
)
def test_application_is_flat_scaled_and_explained(kind: Any, preprocess: Any) -> None:
    grey = np.random.default_rng(0).random((2, 32, 32, 1), dtype=np.float32)
    expected = preprocess(np.repeat(grey * 255, 3, -1))

    network = build_backbone(32, 32, Backbone(kind=kind))

    scaled = keras.Model(network.input, network.get_layer("scale").output).predict_on_batch(grey)
    assert scaled == pytest.approx(expected, abs=2e-4)
    assert not [layer for layer in network.layers if isinstance(layer, keras.Model)]
    assert network.output_shape == (None, 2)
    assert len(convolutional_layers(network, 32, 32)) >= 4
