import numpy as np
import pytest

from service.geometry import IDENTITY
from service.model import FakeModel
from service.records import Heatmap, MapState, Peak
from training.scorecard.maps import heatmaps, layer_figures, linear_cka, map_figures
from training.scorecard.sample import Sample

RNG = np.random.default_rng(6)


def hot(row: int, column: int) -> Heatmap:
    values = np.zeros((8, 6), np.float32)
    values[row, column] = 1
    return Heatmap(values, IDENTITY, MapState.OK, Peak(1.0, row, column, column, row))


BLANK = Heatmap(np.zeros((8, 6), np.float32), IDENTITY, MapState.ALL_NEGATIVE, None)


def test_maps_that_always_peak_in_one_cell_are_stationary_and_alike() -> None:
    found = map_figures([hot(1, 1)] * 4, [{"peak_in_breast": 0.0}] * 4)
    assert found == {
        "blank": 0,
        "peak_in_breast": 0,
        "stationary": 1,
        "similarity": pytest.approx(1),
    }


def test_of_maps_that_differ_the_blank_ones_are_counted_apart() -> None:
    found = map_figures(
        [hot(1, 1), hot(2, 2), hot(2, 2), BLANK], [{"peak_in_breast": 1.0}] * 3 + [{}]
    )
    assert found["blank"] == 0.25
    assert found["stationary"] == pytest.approx(2 / 3)
    assert found["peak_in_breast"] == 1


def test_where_all_are_blank_there_is_nothing_else_to_tell() -> None:
    assert map_figures([BLANK] * 3, [{}] * 3) == {
        "blank": 1, "peak_in_breast": None, "stationary": None, "similarity": None,
    }  # fmt: skip


def test_cka_is_one_for_a_rotation_and_small_for_independent_features() -> None:
    features = RNG.normal(size=(500, 5)).astype(np.float32)
    rotation = np.linalg.qr(RNG.normal(size=(5, 5)))[0]
    assert linear_cka(features, (3 * features @ rotation + 7).astype(np.float32)) == pytest.approx(
        1, abs=1e-4
    )
    assert linear_cka(features, RNG.normal(size=(500, 5)).astype(np.float32)) < 0.05
    assert linear_cka(features, np.zeros((500, 5), np.float32)) == 0


def test_the_fake_s_maps_peak_in_the_breast_and_none_of_its_filters_is_dead(sample: Sample) -> None:
    maps, figures = heatmaps(FakeModel(), sample.only(sample.labels == 1), 1)
    assert len(maps) == len(figures) == 12
    assert map_figures(maps, figures)["blank"] == 0
    assert layer_figures(FakeModel(), sample) == ({"conv2d": 0.0}, None)
