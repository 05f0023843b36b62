import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from service.errors import UnknownLayer
from service.model import FakeModel, Model, fake
from service.records import Floats

MODEL: Model = FakeModel()
IMAGES = np.random.default_rng(3).random((4, 128, 96, 1), np.float32)
CLASSES = np.array([0, 1, 1, 0], np.int32)


def traced(images: Floats) -> dict[str, Any]:
    """Run the same network in TensorFlow, with gradients by automatic differentiation."""
    with tf.GradientTape(persistent=True) as tape:
        pixels = tf.constant(images)
        tape.watch(pixels)
        kernels = fake._KERNELS[:, :, None, :]
        maps = tf.nn.relu(tf.nn.conv2d(pixels, kernels, fake._STRIDE, "VALID"))
        logits = tf.reduce_mean(maps, axis=(1, 2)) @ fake._WEIGHTS + fake._BIAS
        rows = tf.range(len(images))
        chosen = tf.gather_nd(logits, tf.stack([rows, CLASSES], 1))
        others = tf.gather_nd(logits, tf.stack([rows, 1 - CLASSES], 1))
        margin = chosen - others

    return {
        "maps": maps.numpy(),
        "logits": logits.numpy(),
        "probabilities": tf.nn.softmax(logits).numpy(),
        "of_maps": tape.gradient(margin, maps).numpy(),
        "of_pixels": tape.gradient(margin, pixels).numpy(),
    }


def test_it_agrees_with_same_network_in_tensorflow() -> None:
    expected = traced(IMAGES)

    scores = MODEL.predict(IMAGES)
    maps = MODEL.activations(IMAGES)["conv2d"]
    explained = MODEL.layer_gradients("conv2d", IMAGES, CLASSES)
    of_pixels = MODEL.input_gradients(IMAGES, CLASSES)

    np.testing.assert_allclose(scores.logits, expected["logits"], rtol=1e-5)
    np.testing.assert_allclose(scores.probabilities, expected["probabilities"], rtol=1e-5)
    np.testing.assert_allclose(maps, expected["maps"], atol=1e-6)
    np.testing.assert_allclose(explained.maps, expected["maps"], atol=1e-6)
    np.testing.assert_allclose(explained.gradients, expected["of_maps"], rtol=1e-5)
    np.testing.assert_allclose(explained.scores.probabilities, expected["probabilities"], rtol=1e-5)
    np.testing.assert_allclose(of_pixels, expected["of_pixels"], rtol=1e-4, atol=1e-8)


def test_probabilities_have_temperature_and_offset_of_manifest() -> None:
    model = FakeModel()
    changes = {"temperature": 2.0, "offset": -1.5}
    model.manifest = model.manifest.model_copy(update=changes)

    scores = model.predict(IMAGES)

    log_odds = np.log(scores.probabilities[:, 1] / scores.probabilities[:, 0])
    margins = scores.logits[:, 1] - scores.logits[:, 0]
    np.testing.assert_allclose(log_odds, margins / 2 - 1.5, rtol=1e-4)


def test_every_array_is_float32() -> None:
    scores = MODEL.predict(IMAGES)
    explained = MODEL.layer_gradients("conv2d", IMAGES, CLASSES)

    arrays = [
        scores.probabilities,
        scores.logits,
        explained.maps,
        explained.gradients,
        explained.scores.probabilities,
    ]
    arrays += [*MODEL.activations(IMAGES).values(), MODEL.input_gradients(IMAGES, CLASSES)]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_bright_blob_raises_probability_of_cancer() -> None:
    plain = np.full((1, 128, 96, 1), 0.3, np.float32)
    spotted = plain.copy()
    spotted[0, 61:64, 45:48] = 1

    assert MODEL.predict(spotted).probabilities[0, 1] > MODEL.predict(plain).probabilities[0, 1]


def test_manifest_describes_layer_correctly() -> None:
    """A single bright pixel at the centre of a cell's receptive field lights up that cell."""
    (layer,) = MODEL.manifest.layers
    image = np.zeros((1, 128, 96, 1), np.float32)
    x, y = layer.receptive_field.to_input().apply(11, 20)
    image[0, int(y), int(x)] = 1

    maps = MODEL.activations(IMAGES)[layer.name]
    blob = MODEL.activations(image)[layer.name][0, :, :, 0]

    assert maps.shape[1:] == (layer.height, layer.width, layer.filters)
    assert np.argwhere(blob == blob.max()).tolist() == [[20, 11]]


@pytest.mark.parametrize(
    ("images", "classes"),
    [
        (IMAGES[0], CLASSES[:1]),
        (IMAGES.astype(np.float64), CLASSES),
        (IMAGES[:, :-1], CLASSES),
        (IMAGES[:0], CLASSES[:0]),
        (IMAGES, CLASSES[:2]),
        (IMAGES, CLASSES.astype(np.int64)),
        (IMAGES, CLASSES + 1),
        (IMAGES, CLASSES - 1),
    ],
    ids=[
        "no-batch",
        "float64",
        "too-low",
        "empty",
        "too-few-classes",
        "int64",
        "class-2",
        "class-minus-1",
    ],
)
def test_wrong_input_raises_value_error(images: Any, classes: Any) -> None:
    with pytest.raises(ValueError, match=r"must (be|lie)"):
        MODEL.input_gradients(images, classes)


def test_unknown_layer_raises_an_error() -> None:
    with pytest.raises(UnknownLayer):
        MODEL.layer_gradients("conv2d_1", IMAGES, CLASSES)


def test_package_and_fake_do_not_import_tensorflow() -> None:
    code = (
        "import sys, service.model; service.model.FakeModel(); "
        "sys.exit('tensorflow' in sys.modules)"
    )

    run = subprocess.run([sys.executable, "-c", code], check=False)

    assert run.returncode == 0
