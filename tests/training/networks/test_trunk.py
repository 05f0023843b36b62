"""Trunks of networks of any form, for grey images of another size."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from training.errors import WeightsError
from training.network_config import Backbone
from training.networks.backbone import build_backbone
from training.networks.first_weights import trunk_of_file
from training.networks.trunk import build_trunk

CHANNELS = 3


def spread(network: keras.Model) -> keras.Model:
    """Give every weight of the network another value."""
    random = np.random.default_rng(0)
    for weight in network.weights:
        weight.assign(random.uniform(0.1, 1, weight.shape))
    return network


def inner() -> keras.Model:
    """Return a headless network of colours with a gate of one cell."""
    images = keras.Input((24, 20, CHANNELS))
    maps = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="first")(images)
    maps = keras.layers.BatchNormalization(name="norm")(maps)
    gate = keras.layers.GlobalAveragePooling2D(keepdims=True)(maps)
    gated = maps * keras.layers.Conv2D(4, 1, activation="sigmoid", name="gate")(gate)
    tail = keras.Sequential(
        [keras.layers.Conv2D(5, 3, name="second"), keras.layers.ReLU(name="relu")]
    )
    return spread(keras.Model(images, tail(gated), name="inner"))


def nested(headless: keras.Model) -> keras.Model:
    """Return the classifier that tutorials of transfer learning make, with its base frozen."""
    headless.trainable = False
    images = keras.Input((24, 20, CHANNELS))
    maps = headless(keras.layers.Rescaling(2.0, -1.0, name="logits")(images), training=False)
    pooled = keras.layers.GlobalAveragePooling2D()(maps)
    cell = keras.layers.Reshape((1, 1, 5))(pooled)
    return keras.Model(images, keras.layers.Dense(3)(keras.layers.Flatten()(cell)))


def test_trunk_of_nested_network_gives_its_maps() -> None:
    headless = inner()
    grey = np.random.default_rng(1).random((2, 24, 20, 1), dtype=np.float32)

    trunk = build_trunk(nested(headless), 24, 20)

    expected = headless.predict_on_batch(np.repeat(2 * grey - 1, CHANNELS, -1))
    assert trunk.predict_on_batch(grey) == pytest.approx(expected, abs=1e-6)


def test_trunk_is_flat_and_trained() -> None:
    trunk = build_trunk(nested(inner()), 24, 20, reserved=["logits"])

    assert not [layer for layer in trunk.layers if isinstance(layer, keras.Model)]
    assert {"first", "norm", "gate", "second", "relu", "logits_1"} <= {
        layer.name for layer in trunk.layers
    }
    assert len(trunk.trainable_weights) == 8


def test_convolutions_take_other_size() -> None:
    trunk = build_trunk(nested(inner()), 40, 32)

    assert trunk.input_shape == (None, 40, 32, 1)
    assert trunk.output_shape == (None, 18, 14, 5)


def dense_network(*middle: Any) -> keras.Model:
    images = keras.Input((16, 12, 1))
    maps = keras.layers.Conv2D(2, 3, name="first")(images)
    for layer in middle:
        maps = layer(maps)
    flat = keras.layers.Flatten()(maps)
    return keras.Model(images, keras.layers.Dense(2)(flat))


def test_dense_head_does_not_fix_size(tmp_path: Path) -> None:
    dense_network().save(tmp_path / "dense.keras")

    network = build_backbone(20, 18, Backbone(kind="file", init=tmp_path / "dense.keras"))

    assert [layer.name for layer in network.layers][-4:] == [
        *("pooling", "head_dropout", "logits", "probabilities")
    ]
    assert network.predict_on_batch(np.zeros((1, 20, 18, 1))).tolist() == [[0.5, 0.5]]


def test_network_of_one_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fixed.keras"
    reshape = keras.layers.Reshape((14, 10, 2))
    dense_network(reshape, keras.layers.Conv2D(2, 3)).save(path)

    with pytest.raises(WeightsError, match="cannot be rebuilt for images of 20 x 18"):
        trunk_of_file(path, 20, 18)


def test_network_without_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.keras"
    keras.Sequential([keras.Input((7,)), keras.layers.Dense(2)]).save(path)

    with pytest.raises(WeightsError, match="takes one image"):
        trunk_of_file(path, 20, 18)
