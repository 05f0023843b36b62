"""Effective sizes of receptive fields, of networks whose fields are known."""

from typing import Any

import keras
import numpy as np
import pytest

from service.records import ConvLayer, EffectiveSize, Floats, ReceptiveField
from tests.support.bundles import untested_facts
from training.introspection.description import describe_model
from training.introspection.effective_field import EffectiveField
from training.introspection.effective_size import effective_sizes, with_effective_sizes

HEIGHT, WIDTH = 64, 48
IMAGES = np.random.default_rng(1).random((2, HEIGHT, WIDTH, 1), np.float32)

layers = keras.layers


def ones(size: tuple[int, int], name: str) -> Any:
    """Return a convolution of one filter whose weights are all the same."""
    return layers.Conv2D(1, size, padding="same", kernel_initializer="ones", name=name)


def sizes(*convolutions: Any) -> dict[str, EffectiveSize | None]:
    """Return the sizes of a network of these convolutions, by layer."""
    inputs = signal = keras.Input((HEIGHT, WIDTH, 1))
    for convolution in convolutions:
        signal = convolution(signal)
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(signal)))

    return effective_sizes(model, describe_model(model, untested_facts(HEIGHT, WIDTH)), IMAGES)


def test_even_weights_fill_the_receptive_field() -> None:
    assert sizes(ones((5, 3), "conv"))["conv"] == EffectiveSize(height=5, width=3)


def test_stacked_even_weights_fill_less_by_hand() -> None:
    """Gradients 1 2 3 2 1 have squares 1 4 9 4 1: variance 16 / 19, length sqrt(1 + 192 / 19)."""
    measured = sizes(ones((3, 3), "first"), ones((3, 3), "second"))["second"]

    assert measured == EffectiveSize(height=3.3, width=3.3)


def test_layer_that_no_pixel_moves_has_no_size() -> None:
    silent = layers.Conv2D(2, 3, kernel_initializer="zeros", name="silent")

    assert sizes(silent) == {"silent": None}


@pytest.mark.parametrize("spread", [2, 5])
def test_bell_is_told_by_its_variance(spread: float) -> None:
    """A normal distribution of squared gradients has its parameter as its variance."""
    layer = ConvLayer("conv", 16, 12, 4, "deep", ReceptiveField(99, 99, 4, 4, 1.5, 1.5))
    field = EffectiveField(layer, HEIGHT, WIDTH)
    row, column = field.cells[0]
    field.add(0, bell(1.5 + 4 * row, 1.5 + 4 * column, spread))

    size = field.effective_size()

    assert size is not None
    assert size.height == pytest.approx((1 + 12 * spread**2) ** 0.5, abs=0.1)


def bell(y: float, x: float, spread: float) -> Floats:
    rows, columns = np.indices((HEIGHT, WIDTH))
    return np.asarray(np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * spread**2)))


def test_manifest_tells_the_size_of_each_layer(network: Any) -> None:
    manifest = describe_model(network, untested_facts(96, 72))
    image = np.random.default_rng(5).random((96, 72, 1), np.float32)

    measured = with_effective_sizes(network, manifest, image)

    assert {layer.effective_size for layer in manifest.layers} == {None}
    heights = [layer.effective_size.height for layer in measured.layers if layer.effective_size]
    fields = [layer.receptive_field.height for layer in measured.layers]
    assert heights == sorted(heights)
    assert all(height <= field for height, field in zip(heights, fields, strict=True))
