"""Batch normalisation is folded where it follows a convolution, and what comes out stays the same."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from service.model.folding import fold

RNG = np.random.default_rng(8)


def saved(network: Any, path: Path) -> Any:
    """The network's SavedModel, loaded: its signature is only good for as long as that is referred to."""
    archive = keras.export.ExportArchive()
    signature = [
        keras.InputSpec(shape=(None, *network.input_shape[1:]), dtype="float32", name="images")
    ]
    archive.add_endpoint(
        "serving_default",
        lambda images: {"score": network(images), "mean": tf.reduce_mean(images)},
        signature,
    )
    archive.write_out(str(path), verbose=False)
    return tf.saved_model.load(str(path))


def normalised(*, first: bool) -> Any:
    """A convolution of one filter with a bias of none, its normalisation (first, or after pooling), and the sum."""
    steps = [keras.layers.BatchNormalization(epsilon=1e-3), keras.layers.MaxPooling2D(1)]
    network = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Conv2D(1, 1, use_bias=False, name="conv"),
            *(steps if first else reversed(steps)),
            keras.layers.Flatten(),
            keras.layers.Dense(1, use_bias=False, kernel_initializer="ones"),
        ]
    )
    network.get_layer("conv").set_weights([np.full((1, 1, 1, 1), 3.0)])
    gamma, beta, mean, variance = 2.0, 0.25, 0.5, 4.0
    network.layers[1 if first else 2].set_weights(
        [np.full(1, each) for each in (gamma, beta, mean, variance)]
    )
    return network


@pytest.mark.parametrize("images", [1, 3])
def test_a_folded_network_gives_what_the_formula_gives(tmp_path: Path, images: int) -> None:
    model = saved(normalised(first=True), tmp_path)
    given = RNG.random((images, 4, 4, 1), np.float32)
    found = fold(model.signatures["serving_default"])(images=tf.constant(given))
    by_hand = ((3 * given - 0.5) / np.sqrt(4.0 + 1e-3) * 2 + 0.25).sum(axis=(1, 2))
    np.testing.assert_allclose(found["score"].numpy(), by_hand, rtol=1e-5)
    np.testing.assert_allclose(found["mean"].numpy(), given.mean(), rtol=1e-5)


def test_a_network_is_folded_only_where_a_convolution_is_normalised_at_once(tmp_path: Path) -> None:
    apart, together = (
        saved(normalised(first=False), tmp_path / "1"),
        saved(normalised(first=True), tmp_path / "2"),
    )
    assert fold(apart.signatures["serving_default"]) is apart.signatures["serving_default"]
    folded = fold(together.signatures["serving_default"])
    del together  # its variables with it
    assert folded(images=tf.zeros((1, 4, 4, 1)))["score"].shape == (1, 1)


def test_a_backbone_gives_the_same_folded(tmp_path: Path) -> None:
    inputs = keras.Input((64, 48, 3))
    backbone = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_tensor=inputs, alpha=0.35
    )
    scores = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(backbone.output))
    model = saved(keras.Model(inputs, scores), tmp_path)
    signature, images = (
        model.signatures["serving_default"],
        tf.constant(RNG.random((2, 64, 48, 3), np.float32)),
    )
    folded = fold(signature)
    assert folded is not signature
    expected = signature(images=images)["score"].numpy()
    np.testing.assert_allclose(
        folded(images=images)["score"].numpy(), expected, atol=1e-5 * np.abs(expected).max()
    )
