import keras
import numpy as np
import pytest
import tensorflow as tf

from service.geometry import IDENTITY
from service.records import Floats, Heatmap, MapState, Peak
from tests.support.array_part import masks, pixels, with_pixels
from tests.support.bundles import untested_facts
from training.introspection.description import describe_model
from training.introspection.live_model import LiveModel
from training.network_config import Network
from training.networks.cnn import build_network
from training.scorecard.randomisation import cascade, randomise, similarity
from training.scorecard.sample import Sample

SIZE = Network(
    filters=(4, 6, 8), kernel_size=3, pool_size=2, dropout=0.1, pooling="max", dense=(5,)
)


def live() -> LiveModel:
    """Return a small network with random weights, those of the last layer included."""
    keras.utils.set_random_seed(2)
    network = build_network(64, 48, SIZE)
    head = network.get_layer("logits")
    head.set_weights([np.random.default_rng(0).normal(size=(5, 2)), np.zeros(2)])

    return LiveModel(network, describe_model(network, untested_facts(height=64, width=48)))


def heated(values: Floats) -> Heatmap:
    """Return a heatmap of these values."""
    return Heatmap(values, IDENTITY, MapState.OK, Peak(float(values.max()), 0, 0, 0, 0))


def test_cascade_goes_from_top_to_first_layer(sample: Sample) -> None:
    """The cascade works on a copy: the network keeps its weights."""
    model = live()
    before = [weight.copy() for weight in model.network.get_weights()]
    small = with_pixels(sample, pixels(sample)[:, ::2, ::2], masks(sample)[:, ::2, ::2])

    similarities = cascade(model, small.only(small.labels == 1), 1)

    logits, dense, *convolutions = similarities
    assert (logits, dense.partition("_")[0]) == ("logits", "dense")
    assert convolutions == ["conv2d_2", "conv2d_1", "conv2d"]
    assert similarities["conv2d"] < 0.9
    for one, other in zip(before, model.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_are_drawn_from_the_layer_s_initialiser() -> None:
    layer = keras.layers.Conv2D(64, 5, kernel_initializer="he_normal", bias_initializer="ones")
    layer.build((None, 32, 32, 8))
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel + 9, bias + 9])

    randomise(layer)

    new_kernel, new_bias = layer.get_weights()
    assert new_kernel.std() == pytest.approx(kernel.std(), rel=0.1)
    assert abs(new_kernel - kernel).max() > 0.1
    assert (new_bias == 1).all()


def test_kernel_initialised_with_zeros_is_randomised() -> None:
    layer = keras.layers.Dense(2, kernel_initializer="zeros")
    layer.build((None, 32))

    randomise(layer)

    assert layer.get_weights()[0].std() > 0.1


def test_similarity_of_maps_ignores_their_scale() -> None:
    """It is 1 for maps that differ only in scale, and low for unrelated maps."""
    rng = np.random.default_rng(3)
    one, other = rng.random((2, 20, 15)).astype(np.float32)

    assert similarity([heated(one)], [heated(7 * one)]) == pytest.approx(1)
    assert similarity([heated(one)], [heated(other)]) < 0.3


@pytest.mark.parametrize("shape", [(20, 15), (9, 4), (1, 6)])
def test_similarity_equals_that_of_tensorflow(shape: tuple[int, int]) -> None:
    """The window of a narrow map is narrower."""
    rng = np.random.default_rng(5)
    one = rng.random((3, *shape)).astype(np.float32)
    other = (one + rng.normal(0, 0.1, one.shape)).clip(0).astype(np.float32)

    measured = similarity(list(map(heated, one)), list(map(heated, other)))

    scaled = [maps / maps.max(axis=(1, 2), keepdims=True) for maps in (one, other)]
    pairs = [maps[..., None] for maps in scaled]
    expected = tf.image.ssim(*pairs, max_val=1.0, filter_size=min(7, *shape))
    assert measured == pytest.approx(float(tf.reduce_mean(expected)), abs=1e-5)
