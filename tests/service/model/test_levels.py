"""Probabilities of breasts and exams against cases worked by hand."""

from itertools import permutations
from typing import Any

import pytest

from service.model import combine


def test_breast_is_mean_and_exam_higher_breast() -> None:
    combined = combine([("L", 0.25), ("R", 0.5), ("L", 0.75), ("R", 0.25)])

    assert combined.breasts == {"L": 0.5, "R": 0.375}
    assert combined.exam == 0.5


def test_single_view_is_breast_and_exam() -> None:
    combined = combine([("R", 0.3)])

    assert (combined.breasts, combined.exam) == ({"R": 0.3}, 0.3)


def test_order_of_views_changes_no_bit() -> None:
    """A plain sum of these depends on the order: 0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1."""
    views: list[Any] = [("L", 0.1), ("L", 0.2), ("L", 0.3), ("R", 1e-17), ("R", 0.7)]
    combined = {
        (*combine(order).breasts.items(), combine(order).exam) for order in permutations(views)
    }

    assert len(combined) == 1


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_certain_views_stay_certain(edge: float) -> None:
    assert combine([("L", edge)] * 7).exam == edge


@pytest.mark.parametrize(
    ("views", "complaint"),
    [
        ([], "at least one view"),
        ([("B", 0.5)], "L or R; got 'B'"),
        ([("L", 1.01)], r"lie in \[0, 1\]"),
        ([("L", -0.01)], r"lie in \[0, 1\]"),
        ([("L", float("nan"))], r"lie in \[0, 1\]"),
    ],
)
def test_views_that_cannot_be_combined_are_refused(views: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        combine(views)
