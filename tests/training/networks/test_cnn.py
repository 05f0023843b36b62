from typing import Literal

import keras
import numpy as np
import pytest

from training.network_config import Network
from training.networks.cnn import CONVOLUTIONS, build_network, logits_model


def network(pooling: Literal["flatten", "average", "max"] = "max") -> keras.Model:
    size = Network(
        filters=(3, 4, 5), kernel_size=3, pool_size=2, dropout=0.2, pooling=pooling, dense=(7,)
    )
    return build_network(40, 32, size)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((6, 40, 32, 1), dtype=np.float32)


@pytest.mark.parametrize("pooling", ["flatten", "average", "max"])
def test_each_head_gives_class_probabilities(
    pooling: Literal["flatten", "average", "max"], images: np.ndarray
) -> None:
    probabilities = network(pooling).predict_on_batch(images)

    assert probabilities.shape == (6, 2)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(6))


def test_convolutions_have_configured_names_and_filters() -> None:
    layers = [layer for layer in network().layers if isinstance(layer, keras.layers.Conv2D)]

    assert [(layer.name, layer.filters) for layer in layers] == list(
        zip(CONVOLUTIONS, (3, 4, 5), strict=True)
    )


def test_each_convolution_is_followed_by_pooling_and_normalisation() -> None:
    layers = network().layers

    convolutions = [
        index for index, layer in enumerate(layers) if isinstance(layer, keras.layers.Conv2D)
    ]

    for index in convolutions:
        assert isinstance(layers[index + 1], keras.layers.MaxPooling2D)
        assert isinstance(layers[index + 2], keras.layers.BatchNormalization)


def test_faint_pixels_are_read_nearly_as_air() -> None:
    model = network()
    first = keras.Model(model.inputs, model.get_layer(CONVOLUTIONS[0]).input)
    values = np.array([0, 0.001, 0.004, 0.5], np.float32)
    images = np.broadcast_to(values[:, None, None, None], (4, 40, 32, 1))

    air, fainter, faint, tissue = first.predict_on_batch(images)[:, 0, 0, 0]

    assert air == 0
    assert fainter == pytest.approx(0, abs=0.02)
    assert faint == pytest.approx(0, abs=0.1)
    assert tissue == pytest.approx(0.5)


def test_probabilities_are_the_softmax_of_the_logits(images: np.ndarray) -> None:
    model = network()

    logits = logits_model(model).predict_on_batch(images)
    exponentials = np.exp(logits)
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)

    assert model.predict_on_batch(images) == pytest.approx(expected, rel=1e-5)
