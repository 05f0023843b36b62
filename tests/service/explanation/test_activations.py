import numpy as np
import pytest

from service.explanation import filter_cautions, filter_statistics


def test_statistics_are_those_of_each_filter_alone() -> None:
    maps = np.stack([[[1, 0], [3, 0]], [[0, 0], [0, 0]], [[-1, -2], [2, 5]]], axis=-1).astype(np.float32)
    first, dark, mixed = filter_statistics(maps)
    assert (first.mean, first.maximum, first.zero_share) == (1, 3, 0.5)
    assert (dark.mean, dark.maximum, dark.zero_share) == (0, 0, 1)
    assert (mixed.mean, mixed.maximum, mixed.zero_share) == (1, 5, 0.5)


@pytest.mark.parametrize(("alive", "expected"), [(0, ["layer-dark"]), (1, [])])
def test_only_a_layer_that_is_dark_throughout_is_warned_about(alive: int, expected: list[str]) -> None:
    maps = np.zeros((3, 3, 4), np.float32)
    maps[..., :alive] = 1
    assert [caution.code for caution in filter_cautions(filter_statistics(maps))] == expected
