import numpy as np
import pytest

from service.explanation import filter_figures, filter_statistics, filter_warnings


def test_statistics_are_per_filter() -> None:
    filters = [[[1, 0], [3, 0]], [[0, 0], [0, 0]], [[-1, -2], [2, 5]]]
    maps = np.stack(filters, axis=-1).astype(np.float32)

    first, dark, mixed = filter_statistics(maps)

    assert (first.mean, first.maximum, first.zero_share) == (1, 3, 0.5)
    assert (dark.mean, dark.maximum, dark.zero_share) == (0, 0, 1)
    assert (mixed.mean, mixed.maximum, mixed.zero_share) == (1, 5, 0.5)


@pytest.mark.parametrize(("alive", "expected"), [(0, ["layer-dark"]), (1, [])])
def test_only_entirely_dark_layer_has_warning(alive: int, expected: list[str]) -> None:
    maps = np.zeros((3, 3, 4), np.float32)
    maps[..., :alive] = 1

    warnings = filter_warnings(filter_statistics(maps))

    assert [warning.code for warning in warnings] == expected


def test_figures_count_dark_and_duplicate_filters() -> None:
    rng = np.random.default_rng(2)
    one, other = rng.random((2, 6, 5))
    maps = np.stack([one, other, 3 * one + 1, np.zeros((6, 5)), -other], axis=-1).astype(np.float32)

    figures = filter_figures(maps)

    # Two filters are dark: one is zero, one is negative everywhere.
    assert figures["dark_share"] == pytest.approx(2 / 5)
    # Two of the other three are the same.
    assert figures["duplicate_share"] == pytest.approx(2 / 3)


def test_effective_rank_counts_independent_maps() -> None:
    basis = np.linalg.qr(np.random.default_rng(3).normal(size=(36, 4)) - 0.1)[0]
    basis -= basis.mean(axis=0)
    independent = np.linalg.qr(basis)[0].reshape(6, 6, 4) + 1
    repeated = np.repeat(independent[..., :1], 4, axis=-1)

    of_independent = filter_figures(independent.astype(np.float32))
    of_repeated = filter_figures(repeated.astype(np.float32))

    assert of_independent["effective_rank"] == pytest.approx(4, rel=1e-3)
    assert of_repeated["effective_rank"] == pytest.approx(1, rel=1e-2)


def test_effective_rank_of_wide_layer_equals_svd() -> None:
    """A deep layer has more filters than cells."""
    maps = np.random.default_rng(7).gamma(1, size=(6, 5, 80)).astype(np.float32)
    flat = maps.reshape(30, 80).astype(np.float64)
    singular_values = np.linalg.svd(flat - flat.mean(axis=0), compute_uv=False)
    shares = singular_values[:-1] / singular_values.sum()  # the last is 0: the maps are centred

    figures = filter_figures(maps)

    expected = np.exp(-(shares * np.log(shares)).sum())
    assert figures["effective_rank"] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_figures_do_not_depend_on_scale(scale: float) -> None:
    maps = np.random.default_rng(8).random((6, 5, 4)).astype(np.float32)

    scaled = filter_figures(maps * np.float32(scale))

    assert scaled == pytest.approx(filter_figures(maps), rel=1e-4)


@pytest.mark.parametrize("value", [0.0, 2.0, np.inf, np.nan])
def test_layer_of_constant_maps_has_figures(value: float) -> None:
    figures = filter_figures(np.full((4, 4, 3), value, np.float32))

    assert figures["effective_rank"] == 0
    assert figures["duplicate_share"] == 0
