import numpy as np
import pytest

from training.evaluation.discrimination import area, average_precision, sensitivity_at
from training.evaluation.resampling import Draws, intervals, measure, paired_difference
from training.evaluation.statistics import Labels, Values, auc, bootstrap


def cases(count: int, *, seed: int = 0) -> tuple[Labels, Values, list[str]]:
    """Return labels, scores with ties, and patients of three cases each."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(count) < 0.3).astype(np.int32)
    return labels, np.round(rng.normal(size=count) + labels, 1), [str(i // 3) for i in range(count)]


def test_interval_equals_bootstrap_of_one_figure() -> None:
    labels, scores, patients = cases(150)

    both = intervals({"auc": area, "precision": average_precision}, labels, scores, patients)

    expected = bootstrap(auc, labels, scores, patients)
    assert (both["auc"].value, both["auc"].low, both["auc"].high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )


def test_blocks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, scores, patients = cases(90)

    whole = intervals({"auc": area}, labels, scores, patients)
    monkeypatch.setattr("training.evaluation.resampling._BLOCK", 90 * 7)
    blocks = intervals({"auc": area}, labels, scores, patients)

    assert whole == blocks


def test_difference_is_measured_on_the_same_draws() -> None:
    labels, scores, patients = cases(150)
    better = scores + 0.3 * labels

    difference = paired_difference(area, labels, better, scores, patients)
    nothing = paired_difference(area, labels, 2 * scores, scores, patients)

    assert difference is not None
    assert difference.value == pytest.approx(auc(labels, better) - auc(labels, scores))
    assert 0 < difference.low < difference.value < difference.high
    assert nothing is not None
    assert (nothing.value, nothing.low, nothing.high) == (0, 0, 0)


def test_difference_equals_bootstrap_of_the_difference() -> None:
    labels, scores, patients = cases(90)
    other = np.random.default_rng(1).permutation(scores)
    rows = np.arange(90.0)

    def by_hand(drawn: Labels, indices: Values) -> float:
        chosen = indices.astype(int)
        return auc(drawn, scores[chosen]) - auc(drawn, other[chosen])

    difference = paired_difference(area, labels, scores, other, patients)
    expected = bootstrap(by_hand, labels, rows, patients)

    assert difference is not None
    assert (difference.value, difference.low, difference.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )


def test_undefined_figure_is_left_out() -> None:
    labels = np.zeros(6, np.int32)
    scores = np.arange(6.0)
    patients = list("aabbcc")

    assert intervals({"auc": area}, labels, scores, patients) == {}
    assert measure(area, labels, scores) is None
    assert paired_difference(area, labels, scores, scores, patients) is None


def test_undefined_draws_are_left_out() -> None:
    """A third of the draws has no patient with cancer."""
    labels = np.array([1] + [0] * 9, np.int32)

    interval = intervals(
        {"sensitivity": sensitivity_at(0.5)}, labels, np.ones(10), [str(i) for i in range(10)]
    )["sensitivity"]

    assert (interval.value, interval.low, interval.high) == (1, 1, 1)


def test_figure_without_a_defined_draw_is_left_out() -> None:
    def of_the_data_alone(draws: Draws) -> Values:
        once = (draws.weights == 1).all(axis=1)
        return np.where(once, 1.0, np.nan)

    labels, scores, _ = cases(60)

    result = intervals({"odd": of_the_data_alone}, labels, scores, [str(i) for i in range(60)])

    assert result == {}
