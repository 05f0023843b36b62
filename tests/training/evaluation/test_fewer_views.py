from math import comb

import numpy as np
import pytest

from training.evaluation.fewer_views import leave_views_out

EXAM = (("L", "CC"), ("L", "MLO"), ("R", "CC"), ("R", "MLO"))


def columns(
    *exams: tuple[str, tuple[tuple[str, str], ...]],
) -> tuple[list[str], list[str], list[str]]:
    images = [(name, side, view) for name, views in exams for side, view in views]
    return [row[0] for row in images], [row[1] for row in images], [row[2] for row in images]


def test_complete_exam_gives_all_subsets() -> None:
    choices = leave_views_out(*columns(("a", EXAM)))

    assert choices.keys() == {1, 2, 3}
    assert choices[1].rows.tolist() == [[0], [1], [2], [3]]
    assert choices[2].rows.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    assert choices[3].rows.tolist() == [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]


@pytest.mark.parametrize("views", [1, 2, 3])
def test_choices_belong_to_their_exam(views: int) -> None:
    names, sides, projections = columns(("a", EXAM), ("b", EXAM[:3]), ("c", EXAM[::-1]))

    choices = leave_views_out(names, sides, projections)[views]

    assert len(choices.exams) == len(choices.rows) == 2 * comb(4, views)
    assert choices.rows.shape[1] == views
    for exam, rows in zip(choices.exams, choices.rows, strict=True):
        assert {names[row] for row in rows} == {exam}
        assert len({(sides[row], projections[row]) for row in rows}) == views


def test_incomplete_exams_have_no_choices() -> None:
    missing = columns(("a", EXAM[1:]), ("b", (*EXAM[:3], ("R", "ML"))))

    choices = leave_views_out(*missing)

    assert {count: choice.rows.shape for count, choice in choices.items()} == {
        1: (0, 1),
        2: (0, 2),
        3: (0, 3),
    }
    assert choices[1].exams == ()


def test_repeated_and_other_views_are_left_out() -> None:
    names, sides, projections = columns(("a", (("L", "CC"), *EXAM, ("R", "ML"), ("R", "MLO"))))

    choices = leave_views_out(names, sides, projections)

    assert np.unique(choices[1].rows).tolist() == [0, 2, 3, 4]


def test_exams_of_one_woman_are_apart() -> None:
    first = [("p", "1")] * 4
    second = [("p", "2")] * 4
    sides = [side for side, _ in EXAM] * 2
    views = [view for _, view in EXAM] * 2

    choices = leave_views_out(first + second, sides, views)

    assert choices[3].exams == (("p", "1"),) * 4 + (("p", "2"),) * 4
    assert choices[3].rows[4:].min() == 4
