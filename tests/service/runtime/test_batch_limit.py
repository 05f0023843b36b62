"""The largest batch, by the cost per image of batches of each size."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from service.model import FakeModel
from service.records import Floats
from service.runtime.batch_limit import BatchLimit, batch_costs, sizes_up_to


class CostlyModel(FakeModel):
    """Model whose clock moves on by the cost of each batch, and by `hiccup` in the first round."""

    def __init__(self, cost: Callable[[int], float], hiccup: float = 0) -> None:
        self.now = 0.0
        self.sizes: list[int] = []
        self._cost = cost
        self._hiccup = hiccup

    def clock(self) -> float:
        return self.now

    def predict(self, images: Floats) -> Any:
        size = len(images)
        self.now += self._cost(size) + (0 if size in self.sizes else self._hiccup)
        self.sizes.append(size)


def measured(model: CostlyModel, longest: int = 8) -> float:
    return chosen(batch_costs(model, longest, model.clock))


def chosen(costs: Mapping[int, float]) -> float:
    limit = BatchLimit()
    limit.choose(costs)
    return limit.images


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (lambda size: 0.01 * size, 1),  # nothing gained
        (lambda size: 0.01 + 0.01 * size, 8),  # half of the first image's cost shared
        (lambda size: 0.0005 + 0.01 * size, 1),  # 5 % of it shared
        (lambda size: 0.01 * size * (1 if size < 4 else 1.5) + 0.01, 2),
    ],
)
def test_smallest_batch_near_lowest_cost_wins(cost: Callable[[int], float], expected: int) -> None:
    assert measured(CostlyModel(cost)) == expected


def test_slow_first_round_changes_nothing() -> None:
    assert measured(CostlyModel(lambda size: 0.01 + 0.01 * size, hiccup=3.0)) == 8


def test_sizes_are_timed_in_turn() -> None:
    model = CostlyModel(lambda _: 0.001)

    measured(model)

    assert model.sizes == [1, 2, 4, 8] * 5


def test_slow_model_is_timed_in_two_rounds() -> None:
    model = CostlyModel(lambda size: 0.5 * size)

    measured(model)

    assert model.sizes == [1, 2, 4, 8] * 2


def test_manifest_bounds_the_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    model = CostlyModel(lambda _: 0.001)
    monkeypatch.setattr(type(model.manifest), "images_per_call", 3)

    assert measured(model) == 3
    assert set(model.sizes) == {1, 2, 3}


@pytest.mark.parametrize(
    ("longest", "sizes"), [(1, [1]), (2, [1, 2]), (6, [1, 2, 4, 6]), (8, [1, 2, 4, 8])]
)
def test_sizes_double_up_to_the_longest(longest: int, sizes: list[int]) -> None:
    assert sizes_up_to(longest) == sizes


def test_bound_of_choice_is_five_percent() -> None:
    assert chosen({1: 1.06, 2: 1.04, 4: 1.0}) == 2
