"""Methods that suit a layer, against the gradients of the margin in its cells."""

from typing import Any, Literal

import keras
import numpy as np
import pytest

from service.records import ConvLayer, Method
from tests.support.bundles import untested_facts
from training.introspection.description import describe_model
from training.introspection.live_model import LiveModel
from training.introspection.receptive_field import convolutional_layers
from training.network_config import Network
from training.networks.cnn import CONVOLUTIONS, build_network

HEIGHT, WIDTH = 32, 24
EVERYWHERE = (Method.HIRES_CAM, Method.LAYER_CAM, Method.EIGEN_CAM)
POOLED = (
    Method.GRAD_CAM,
    Method.GRAD_CAM_PLUS_PLUS,
    Method.HIRES_CAM,
    Method.LAYER_CAM,
    Method.XGRAD_CAM,
    Method.EIGEN_CAM,
)

layers = keras.layers
ops = keras.ops


def network(*head: Any) -> Any:
    """Return a network of a convolution, the operations of the head and a dense layer."""
    keras.utils.set_random_seed(6)
    inputs = keras.Input((HEIGHT, WIDTH, 1))
    signal = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(inputs)
    for operation in head:
        signal = operation(signal)
    return keras.Model(inputs, layers.Dense(2)(signal))


def layer_of(model: Any, name: str = "conv") -> ConvLayer:
    described = convolutional_layers(model, *model.input_shape[1:3])
    return next(layer for layer in described if layer.name == name)


def gate(maps: Any) -> Any:
    """Return the maps times a gate of squeeze and excitation."""
    squeezed = layers.GlobalAveragePooling2D(keepdims=True)(maps)
    return layers.Multiply()([maps, layers.Conv2D(4, 1, activation="sigmoid")(squeezed)])


def spatial_gate(maps: Any) -> Any:
    """Return the maps times a gate for each cell."""
    return layers.Multiply()([maps, layers.Conv2D(1, 1, activation="sigmoid")(maps)])


def residual(maps: Any) -> Any:
    """Return the maps plus what two convolutions make of them."""
    inner = layers.Conv2D(4, 3, padding="same", activation="relu")(maps)
    return layers.Add()([maps, layers.Conv2D(4, 3, padding="same")(inner)])


# A layer draws the seed of its weights when it is made, which for these is here.
keras.utils.set_random_seed(6)

AVERAGE = layers.GlobalAveragePooling2D
EQUAL_GRADIENTS: dict[str, list[Any]] = {
    "average": [AVERAGE()],
    "mean": [lambda maps: ops.mean(maps, axis=(1, 2))],
    "normalised": [layers.BatchNormalization(), layers.Dropout(0.5), AVERAGE()],
    "linear-classes": [layers.Conv2D(2, 1), AVERAGE()],
    "dense-cells": [layers.Dense(3), AVERAGE()],
    "gated": [gate, AVERAGE()],
    "windows": [layers.AveragePooling2D(2), AVERAGE()],
    "deep-head": [AVERAGE(), layers.LayerNormalization(), layers.Dense(5, activation="relu")],
}
UNEQUAL_GRADIENTS: dict[str, list[Any]] = {
    "flattened": [layers.Flatten()],
    "reshaped": [layers.Reshape((-1, 4)), layers.Dense(3, activation="tanh"), layers.Flatten()],
    "convolved": [layers.Conv2D(4, 3), AVERAGE()],
    "activated-cells": [layers.Conv2D(8, 1, activation="relu"), AVERAGE()],
    "normalised-cells": [layers.LayerNormalization(), layers.ReLU(), AVERAGE()],
    "gated-cells": [spatial_gate, AVERAGE()],
    "residual": [residual, AVERAGE()],
    "cropped": [layers.Cropping2D(4), AVERAGE()],
}


def spread_of_gradients(model: Any) -> float:
    """Return the largest difference of the margin's gradient in two cells, relative to it."""
    layer = layer_of(model)
    manifest = describe_model(model, untested_facts(HEIGHT, WIDTH, layers=[layer.name]))
    image = np.random.default_rng(2).random((1, HEIGHT, WIDTH, 1), np.float32)
    live = LiveModel(model, manifest)

    gradients = live.layer_gradients("conv", image, np.array([1], np.int32)).gradients[0]
    return float(np.ptp(gradients, axis=(0, 1)).max() / np.abs(gradients).max())


@pytest.mark.parametrize("name", EQUAL_GRADIENTS)
def test_equal_gradients_suit_every_method(name: str) -> None:
    model = network(*EQUAL_GRADIENTS[name])

    assert spread_of_gradients(model) < 1e-4
    assert layer_of(model).methods == POOLED


@pytest.mark.parametrize("name", UNEQUAL_GRADIENTS)
def test_unequal_gradients_suit_methods_by_cell(name: str) -> None:
    model = network(*UNEQUAL_GRADIENTS[name])

    assert spread_of_gradients(model) > 0.05
    assert layer_of(model).methods == EVERYWHERE


@pytest.mark.parametrize(
    "head",
    [
        [layers.GlobalMaxPooling2D()],
        [layers.MaxPooling2D(3), layers.BatchNormalization(), layers.GlobalMaxPooling2D()],
    ],
)
def test_largest_cell_suits_every_method(head: list[Any]) -> None:
    """Each filter's gradient is in the cell that the network reads."""
    assert layer_of(network(*head)).methods == POOLED


@pytest.mark.parametrize(
    ("pooling", "last"), [("max", POOLED), ("average", POOLED), ("flatten", EVERYWHERE)]
)
def test_own_network_suits_pooled_methods_at_last(
    pooling: Literal["max", "average", "flatten"], last: tuple[Method, ...]
) -> None:
    size = Network(
        filters=(2, 3, 4), kernel_size=3, pool_size=2, dropout=0.1, pooling=pooling, dense=(5,)
    )

    described = convolutional_layers(build_network(64, 48, size), 64, 48)

    methods = {layer.name: layer.methods for layer in described}
    assert methods == dict(zip(CONVOLUTIONS, (EVERYWHERE, EVERYWHERE, last), strict=True))


def test_backbone_suits_pooled_methods_at_top() -> None:
    base = keras.applications.MobileNetV2(
        weights=None, include_top=False, pooling="avg", input_shape=(64, 64, 3), alpha=0.35
    )
    model = keras.Model(base.input, layers.Dense(2)(base.output))

    suited = [
        layer.name for layer in convolutional_layers(model, 64, 64) if layer.methods == POOLED
    ]

    assert suited == ["Conv_1"]
