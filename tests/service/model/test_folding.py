"""Batch normalisation after a convolution is folded, with the same results."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from service.model.folding import fold

RNG = np.random.default_rng(8)


def saved(network: Any, path: Path) -> Any:
    """Save the network and load it as a SavedModel.

    Its signature works only while the SavedModel is referenced.
    """
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
    """Return a network of one convolution without bias, a normalisation, and a sum.

    `first`: the normalisation directly follows the convolution. Otherwise it follows the pooling.
    """
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
    # Gamma, beta, mean and variance.
    parameters = [np.full(1, value) for value in (2.0, 0.25, 0.5, 4.0)]
    network.layers[1 if first else 2].set_weights(parameters)
    return network


@pytest.mark.parametrize("images", [1, 3])
def test_folded_network_agrees_with_formula(tmp_path: Path, images: int) -> None:
    model = saved(normalised(first=True), tmp_path)
    pixels = RNG.random((images, 4, 4, 1), np.float32)

    outputs = fold(model.signatures["serving_default"])(images=tf.constant(pixels))

    by_hand = ((3 * pixels - 0.5) / np.sqrt(4.0 + 1e-3) * 2 + 0.25).sum(axis=(1, 2))
    np.testing.assert_allclose(outputs["score"].numpy(), by_hand, rtol=1e-5)
    np.testing.assert_allclose(outputs["mean"].numpy(), pixels.mean(), rtol=1e-5)


def test_only_normalisation_directly_after_convolution_is_folded(tmp_path: Path) -> None:
    apart = saved(normalised(first=False), tmp_path / "1")
    together = saved(normalised(first=True), tmp_path / "2")

    unchanged = fold(apart.signatures["serving_default"])
    folded = fold(together.signatures["serving_default"])

    assert unchanged is apart.signatures["serving_default"]
    del together  # The folded network has no variables, so it still works.
    assert folded(images=tf.zeros((1, 4, 4, 1)))["score"].shape == (1, 1)


def test_folded_backbone_gives_same_scores(tmp_path: Path) -> None:
    inputs = keras.Input((64, 48, 3))
    backbone = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_tensor=inputs, alpha=0.35
    )
    scores = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(backbone.output))
    model = saved(keras.Model(inputs, scores), tmp_path)
    signature = model.signatures["serving_default"]
    images = tf.constant(RNG.random((2, 64, 48, 3), np.float32))

    folded = fold(signature)

    assert folded is not signature
    expected = signature(images=images)["score"].numpy()
    np.testing.assert_allclose(
        folded(images=images)["score"].numpy(), expected, atol=1e-5 * np.abs(expected).max()
    )
