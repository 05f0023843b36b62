import numpy as np
import pytest

from service.explanation import filter_figures, filter_statistics, filter_warnings


def test_statistics_are_those_of_each_filter_alone() -> None:
    maps = np.stack([[[1, 0], [3, 0]], [[0, 0], [0, 0]], [[-1, -2], [2, 5]]], axis=-1).astype(
        np.float32
    )
    first, dark, mixed = filter_statistics(maps)
    assert (first.mean, first.maximum, first.zero_share) == (1, 3, 0.5)
    assert (dark.mean, dark.maximum, dark.zero_share) == (0, 0, 1)
    assert (mixed.mean, mixed.maximum, mixed.zero_share) == (1, 5, 0.5)


@pytest.mark.parametrize(("alive", "expected"), [(0, ["layer-dark"]), (1, [])])
def test_only_a_layer_that_is_dark_throughout_is_warned_about(
    alive: int, expected: list[str]
) -> None:
    maps = np.zeros((3, 3, 4), np.float32)
    maps[..., :alive] = 1
    assert [warning.code for warning in filter_warnings(filter_statistics(maps))] == expected


def test_figures_count_dark_filters_and_repeated_ones() -> None:
    rng = np.random.default_rng(2)
    one, other = rng.random((2, 6, 5))
    maps = np.stack([one, other, 3 * one + 1, np.zeros((6, 5)), -other], axis=-1).astype(np.float32)
    found = filter_figures(maps)
    assert found["dark_share"] == pytest.approx(2 / 5)  # zero, and negative throughout
    assert found["duplicate_share"] == pytest.approx(
        2 / 3
    )  # of the three that are alive, two are the same


def test_the_effective_rank_is_the_number_of_equal_independent_maps() -> None:
    basis = np.linalg.qr(np.random.default_rng(3).normal(size=(36, 4)) - 0.1)[0]
    basis -= basis.mean(axis=0)
    independent = np.linalg.qr(basis)[0].reshape(6, 6, 4) + 1
    assert filter_figures(independent.astype(np.float32))["effective_rank"] == pytest.approx(
        4, rel=1e-3
    )
    one = np.repeat(independent[..., :1], 4, axis=-1).astype(np.float32)
    assert filter_figures(one)["effective_rank"] == pytest.approx(1, rel=1e-2)


@pytest.mark.parametrize("value", [0.0, 2.0, np.inf, np.nan])
def test_a_layer_that_says_nothing_has_figures_all_the_same(value: float) -> None:
    found = filter_figures(np.full((4, 4, 3), value, np.float32))
    assert found["effective_rank"] == 0
    assert found["duplicate_share"] == 0
