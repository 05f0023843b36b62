import numpy as np
import pytest
from sklearn.metrics import recall_score, roc_auc_score

from training.evaluation.subgroups import divide, measure_subgroups


def sizes(column: str, cells: list[str]) -> dict[str, int]:
    return {name: len(rows) for name, rows in divide(column, cells).items()}


def test_names_are_groups_and_small_ones_are_other() -> None:
    cells = ["Hologic"] * 12 + ["GE"] * 10 + ["Fuji"] * 9 + ["Planmed"] + [" "] + ["nan"]

    assert sizes("machine", cells) == {"GE": 10, "Hologic": 12, "other": 10, "missing": 2}


def test_rows_are_those_of_the_group() -> None:
    cells = ["a", "b"] * 10 + [""]

    assert divide("site", cells) == {
        "a": list(range(0, 20, 2)),
        "b": list(range(1, 20, 2)),
        "missing": [20],
    }


def test_numbers_are_divided_into_quarters() -> None:
    cells = [str(age) for age in range(40, 80)] + [""] * 3

    assert sizes("age", cells) == {
        "40 to 49": 10,
        "50 to 59": 10,
        "60 to 69": 10,
        "70 to 79": 10,
        "missing": 3,
    }


def test_equal_numbers_stay_in_one_quarter() -> None:
    cells = ["50"] * 60 + [f"{age}.5" for age in range(60, 100)]

    groups = divide("age", cells)

    # The lower two quarters end at 50.
    assert {name: len(rows) for name, rows in groups.items()} == {
        "50": 60,
        "60.5 to 74.5": 15,
        "75.5 to 99.5": 25,
    }


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("density", ["1", "2", "3", "4"] * 10),  # eight values at most are names
        ("machine_id", [str(number) for number in range(10)] * 10),  # digits of a name
        ("age", [*(str(number) for number in range(10)), "old"] * 10),
        ("dose", [*(str(number) for number in range(10)), "inf"] * 10),
    ],
)
def test_other_columns_are_divided_by_value(column: str, cells: list[str]) -> None:
    assert divide(column, cells).keys() == set(cells)


def test_figures_are_those_of_the_group_alone() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(120) < 0.4).astype(np.int32)
    scores = rng.random(120) * 0.7 + 0.3 * labels
    sites = rng.choice(["north", "south"], size=120)
    patients = [str(index // 2) for index in range(120)]

    groups = measure_subgroups({"site": sites.tolist()}, labels, scores, patients, scores >= 0.5)

    assert [(group.column, group.name) for group in groups] == [
        ("site", "north"),
        ("site", "south"),
    ]
    for group in groups:
        chosen = sites == group.name
        decisions = scores[chosen] >= 0.5
        assert (group.cases, group.with_cancer) == (chosen.sum(), labels[chosen].sum())
        assert group.auc is not None
        assert group.sensitivity is not None
        assert group.specificity is not None
        assert group.auc.value == pytest.approx(roc_auc_score(labels[chosen], scores[chosen]))
        assert group.sensitivity.value == recall_score(labels[chosen], decisions)
        assert group.specificity.value == recall_score(labels[chosen], decisions, pos_label=0)
        assert group.auc.low < group.auc.value < group.auc.high


def test_group_of_one_class_lacks_figures() -> None:
    labels = np.array([0] * 10 + [0, 1] * 5, np.int32)
    columns = {"site": ["healthy"] * 10 + ["mixed"] * 10}

    scores = np.linspace(0, 1, 20)
    patients = [str(index) for index in range(20)]

    healthy, mixed = measure_subgroups(columns, labels, scores, patients, scores >= 0.5)

    assert (healthy.cases, healthy.with_cancer) == (10, 0)
    assert (healthy.auc, healthy.sensitivity) == (None, None)
    assert healthy.specificity is not None
    assert mixed.auc is not None


def test_intervals_are_drawn_by_patient() -> None:
    """One patient has all cases: every draw is the same."""
    labels = np.array([0, 1] * 10, np.int32)
    scores = np.random.default_rng(0).random(20)

    (group,) = measure_subgroups({"site": ["a"] * 20}, labels, scores, ["p"] * 20, scores >= 0.5)

    assert group.auc is not None
    assert group.auc.low == group.auc.value == group.auc.high
