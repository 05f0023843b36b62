import numpy as np
import pytest

from service.model import Level
from tests.support.views import view_of
from training.evaluation.cases import combined, gather, group

# Two exams of one woman, and one of another. The second has three views of the left breast.
RECORDS = [
    view_of("p1", "L", "CC", exam="2024"),
    view_of("p1", "L", "MLO", exam="2024", cancer=True),
    view_of("p2", "L", "CC"),
    view_of("p1", "R", "CC", exam="2024"),
    view_of("p1", "R", "CC", exam="2025"),
    view_of("p2", "L", "MLO"),
    view_of("p2", "L", "ML"),
]
PROBABILITIES = np.array([0.1, 0.5, 0.2, 0.4, 0.9, 0.3, 0.7])


@pytest.mark.parametrize(
    ("level", "members", "labels", "probabilities"),
    [
        (Level.IMAGE, [[index] for index in range(7)], [0, 1, 0, 0, 0, 0, 0], PROBABILITIES),
        (Level.BREAST, [[0, 1], [2, 5, 6], [3], [4]], [1, 0, 0, 0], [0.3, 0.4, 0.4, 0.9]),
        # The exam of 2024 has breasts of 0.3 and 0.4.
        (Level.EXAM, [[0, 1, 3], [2, 5, 6], [4]], [1, 0, 0], [0.4, 0.4, 0.9]),
    ],
)
def test_cases_equal_hand_worked_exams(
    level: Level, members: list[list[int]], labels: list[int], probabilities: list[float]
) -> None:
    groups = group(level, RECORDS)
    cases = gather(level, RECORDS, PROBABILITIES, groups)

    assert [indices.tolist() for indices in groups] == members
    assert cases.labels.tolist() == labels
    assert cases.probabilities == pytest.approx(probabilities)
    assert [[record.key for record in case] for case in cases.records] == [
        [RECORDS[index].key for index in indices] for indices in members
    ]


def test_probability_at_its_threshold_is_positive() -> None:
    groups = group(Level.EXAM, RECORDS)
    thresholds = np.array([0.4, 0.5, 0.9])

    cases = gather(Level.EXAM, RECORDS, PROBABILITIES, groups, thresholds)

    assert cases.positive.tolist() == [True, False, True]
    assert cases.patients == ["p1", "p2", "p1"]


def test_cases_without_thresholds_are_negative() -> None:
    cases = gather(Level.IMAGE, RECORDS, PROBABILITIES, group(Level.IMAGE, RECORDS))

    assert not cases.positive.any()


def test_combined_uses_the_views_it_is_given() -> None:
    groups = [np.array([0]), np.array([1, 3])]

    assert combined(RECORDS, PROBABILITIES, groups).tolist() == [0.1, 0.5]
