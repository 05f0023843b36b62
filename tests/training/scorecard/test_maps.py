from collections.abc import Mapping

import keras
import numpy as np
import pytest

from service.geometry import IDENTITY
from service.model import FakeModel
from service.records import Heatmap, MapState, Peak
from tests.support.array_part import pixels
from tests.support.bundles import untested_facts
from training.introspection.description import describe_model
from training.introspection.live_model import LiveModel
from training.scorecard.estimates import Estimate
from training.scorecard.maps import heatmaps, layer_figures, linear_cka, map_figures
from training.scorecard.sample import Sample

RNG = np.random.default_rng(6)


def hot(row: int, column: int) -> Heatmap:
    """Return a heatmap with a single hot cell."""
    values = np.zeros((8, 6), np.float32)
    values[row, column] = 1

    return Heatmap(values, IDENTITY, MapState.OK, Peak(1.0, row, column, column, row))


BLANK = Heatmap(np.zeros((8, 6), np.float32), IDENTITY, MapState.ALL_NEGATIVE, None)


def values(figures: Mapping[str, Estimate | None]) -> dict[str, float | None]:
    """Return the values of estimates."""
    return {name: estimate.value if estimate else None for name, estimate in figures.items()}


def test_maps_with_one_common_peak_are_stationary() -> None:
    figures = map_figures([hot(1, 1)] * 4, [{"peak_in_breast": 0.0}] * 4)

    assert values(figures) == {
        "blank": 0,
        "peak_in_breast": 0,
        "stationary": 1,
        "similarity": pytest.approx(1),
    }


def test_blank_maps_are_counted_separately() -> None:
    maps = [hot(1, 1), hot(2, 2), hot(2, 2), BLANK]

    figures = values(map_figures(maps, [{"peak_in_breast": 1.0}] * 3 + [{}]))

    assert figures["blank"] == 0.25
    assert figures["stationary"] == pytest.approx(2 / 3)
    assert figures["peak_in_breast"] == 1


def test_blank_maps_have_no_other_figures() -> None:
    assert values(map_figures([BLANK] * 3, [{}] * 3)) == {
        "blank": 1,
        "peak_in_breast": None,
        "stationary": None,
        "similarity": None,
    }


def test_cka_recognises_rotation_and_independence() -> None:
    """A scaled, shifted rotation gives 1, independent features almost 0, constant ones 0."""
    features = RNG.normal(size=(500, 5)).astype(np.float32)
    rotation = np.linalg.qr(RNG.normal(size=(5, 5)))[0]
    rotated = (3 * features @ rotation + 7).astype(np.float32)
    independent = RNG.normal(size=(500, 5)).astype(np.float32)

    assert linear_cka(features, rotated) == pytest.approx(1, abs=1e-4)
    assert linear_cka(features, independent) < 0.05
    assert linear_cka(features, np.zeros((500, 5), np.float32)) == 0


def test_filters_silenced_by_normalisation_are_dead(sample: Sample) -> None:
    """Every second filter of a convolution is silenced by the offset of its normalisation."""
    keras.utils.set_random_seed(2)
    norm = keras.layers.BatchNormalization()
    images = pixels(sample)
    layers = [
        keras.Input((*images.shape[1:3], 1)),
        keras.layers.Conv2D(40, 5, strides=4, name="conv"),
        norm,
        keras.layers.ReLU(6.0),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2),
    ]
    network = keras.Sequential(layers)
    gamma, beta, mean, variance = norm.get_weights()
    beta[::2] = -1e3
    norm.set_weights([gamma, beta, mean, variance])

    facts = untested_facts(*images.shape[1:3])
    dead, _ = layer_figures(LiveModel(network, describe_model(network, facts)), sample)

    read = keras.Model(network.inputs[0], network.layers[2].output)(images).numpy()
    truth = (read.max(axis=(0, 1, 2)) == 0).mean()
    assert 0.5 <= truth < 0.8
    assert dead["conv"] == pytest.approx(truth, abs=0.05)


def test_fake_model_has_heatmaps_and_living_filters(sample: Sample) -> None:
    maps, figures = heatmaps(FakeModel(), sample.only(sample.labels == 1), 1)

    assert len(maps) == len(figures) == 12
    assert values(map_figures(maps, figures))["blank"] == 0
    assert layer_figures(FakeModel(), sample) == ({"conv2d": 0.0}, None)
