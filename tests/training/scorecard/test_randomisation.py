from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from service.geometry import IDENTITY
from service.records import FitParameters, Floats, Heatmap, MapState, Peak
from training.config import Network
from training.fit.network import build_network
from training.introspection.description import describe_model
from training.introspection.live_model import LiveModel
from training.scorecard.randomisation import cascade, randomise, similarity
from training.scorecard.sample import Sample

SIZE = Network(
    filters=(4, 6, 8), kernel_size=3, pool_size=2, dropout=0.1, pooling="max", dense=(5,)
)


def live() -> LiveModel:
    keras.utils.set_random_seed(2)
    network = build_network(64, 48, SIZE)
    head = network.get_layer("logits")
    head.set_weights([np.random.default_rng(0).normal(size=(5, 2)), np.zeros(2)])
    facts: dict[str, Any] = {
        "name": "small", "version": 1, "classes": ("no_cancer", "cancer"), "positive_class": "cancer", "threshold": 0.5,
        "threshold_rule": "By hand.", "temperature": 1.0, "preprocessing": FitParameters(height=64, width=48),
        "layers": None, "default_layer": None, "training": "None.", "figures": {}, "intended_use": "Tests.",
        "limitations": "All.",
    }  # fmt: skip
    return LiveModel(network, describe_model(network, **facts))


def heated(values: Floats) -> Heatmap:
    return Heatmap(values, IDENTITY, MapState.OK, Peak(float(values.max()), 0, 0, 0, 0))


def test_the_cascade_goes_from_the_top_to_the_first_layer_and_leaves_the_network_alone(
    sample: Sample,
) -> None:
    model = live()
    before = [weight.copy() for weight in model.network.get_weights()]
    small = replace(sample, images=sample.images[:, ::2, ::2], masks=sample.masks[:, ::2, ::2])
    found = cascade(model, small.only(small.labels == 1), 1)
    logits, dense, *convolutions = found
    assert (logits, dense.partition("_")[0]) == ("logits", "dense")
    assert convolutions == ["conv2d_2", "conv2d_1", "conv2d"]
    assert found["conv2d"] < 0.9
    for one, other in zip(before, model.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_are_drawn_anew_from_the_layer_s_own_initialiser() -> None:
    layer = keras.layers.Conv2D(64, 5, kernel_initializer="he_normal", bias_initializer="ones")
    layer.build((None, 32, 32, 8))
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel + 9, bias + 9])
    randomise(layer)
    found, ones = layer.get_weights()
    assert found.std() == pytest.approx(kernel.std(), rel=0.1)
    assert abs(found - kernel).max() > 0.1
    assert (ones == 1).all()


def test_a_kernel_that_starts_from_zero_is_made_random_all_the_same() -> None:
    layer = keras.layers.Dense(2, kernel_initializer="zeros")
    layer.build((None, 32))
    randomise(layer)
    assert layer.get_weights()[0].std() > 0.1


def test_similarity_is_one_for_equal_maps_whatever_their_scale_and_low_for_others() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.random((2, 20, 15)).astype(np.float32)
    assert similarity([heated(one)], [heated(7 * one)]) == pytest.approx(1)
    assert similarity([heated(one)], [heated(other)]) < 0.3
