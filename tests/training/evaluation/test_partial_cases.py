from dataclasses import replace

import pytest

from service.model import Level
from tests.support.views import complete_exam, view_of
from training.data.table import Record
from training.evaluation.partial_cases import partial_cases


def counts(level: Level, records: list[Record]) -> dict[int, int]:
    return {views: len(groups) for views, (groups, _) in partial_cases(level, records).items()}


def test_complete_exam_gives_every_choice_of_views() -> None:
    records = complete_exam("p1", cancers="L")

    assert counts(Level.EXAM, records) == {1: 4, 2: 6, 3: 4, 4: 1}
    assert counts(Level.BREAST, records) == {1: 4, 2: 2}
    assert counts(Level.IMAGE, records) == {}


def test_labels_are_those_of_breasts_at_hand() -> None:
    """The cancer shows in the CC view alone, and the other view is of a breast with cancer, too."""
    left = replace(complete_exam("p1")[0], cancer=True)
    records = [left, *complete_exam("p1")[1:]]

    exams = partial_cases(Level.EXAM, records)
    breasts = partial_cases(Level.BREAST, records)

    for views, (groups, labels) in exams.items():
        assert all(len(indices) == views for indices in groups)
        assert labels.tolist() == [int(min(indices) < 2) for indices in groups]
    assert breasts[1][1].tolist() == [1, 1, 0, 0]
    assert breasts[2][1].tolist() == [1, 0]


def test_breast_is_complete_without_the_other_one() -> None:
    records = complete_exam("p1")[:2]

    assert counts(Level.BREAST, records) == {1: 2, 2: 1}
    assert counts(Level.EXAM, records) == {}


@pytest.mark.parametrize("level", list(Level))
def test_exams_that_miss_a_view_give_none(level: Level) -> None:
    records = [view_of("p1", "L", "CC"), view_of("p1", "R", "MLO"), view_of("p2", "L", "ML")]

    assert partial_cases(level, records) == {}


def test_further_views_are_left_out() -> None:
    """An exam of seven images: a repeated view, a spot view and a view of another name."""
    repeated = replace(view_of("p1", "L", "CC"), image_id="again")
    further = [repeated, view_of("p1", "L", "ML"), view_of("p1", "R", "XCCL")]

    exams = partial_cases(Level.EXAM, [*complete_exam("p1"), *further])

    assert {views: len(groups) for views, (groups, _) in exams.items()} == {1: 4, 2: 6, 3: 4, 4: 1}
    assert exams[4][0][0].tolist() == [0, 1, 2, 3]


def test_exams_of_different_years_stay_apart() -> None:
    records = [*complete_exam("p1", exam="2024")[:2], *complete_exam("p1", exam="2025")[2:]]

    assert counts(Level.EXAM, records) == {}
    assert counts(Level.BREAST, records) == {1: 4, 2: 2}
