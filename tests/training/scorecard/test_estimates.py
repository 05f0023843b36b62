import numpy as np
import pytest

from training.scorecard.estimates import either_way, mean, separation, share

LABELS = np.arange(80, dtype=np.int32) % 2
PATIENTS = [str(index // 2) for index in range(80)]


def test_share_has_wilsons_interval() -> None:
    """Hand-worked: 8 of 10 with z = 1.96, as in Brown et al., Statistical Science 16, 2001."""
    estimate = share(8, 10)

    assert estimate is not None
    assert (estimate.value, estimate.cases) == (0.8, 10)
    assert estimate.low == pytest.approx(0.4902, abs=1e-4)
    assert estimate.high == pytest.approx(0.9433, abs=1e-4)


def test_mean_has_students_interval() -> None:
    """Hand-worked: 1, 2, 3 have the standard error 1 / sqrt(3), and t of 2 degrees is 4.303."""
    estimate = mean([1.0, 2.0, 3.0])

    assert estimate is not None
    assert (estimate.value, estimate.cases) == (2.0, 3)
    assert estimate.high == pytest.approx(2 + 4.3027 / 3**0.5, abs=1e-3)
    assert estimate.low == pytest.approx(2 - 4.3027 / 3**0.5, abs=1e-3)


def test_nothing_is_estimated_without_cases() -> None:
    assert share(0, 0) is None
    assert mean([1.0]) is None


def test_cases_of_auc_are_of_rarer_class() -> None:
    labels = np.repeat([0, 1], [60, 20]).astype(np.int32)

    estimate = separation(labels, np.arange(80.0), PATIENTS)

    assert (estimate.value, estimate.cases) == (1.0, 20)


def test_reversed_scores_separate_either_way() -> None:
    estimate = either_way(LABELS, -LABELS.astype(np.float64), PATIENTS)

    assert (estimate.value, estimate.low, estimate.high) == (1.0, 1.0, 1.0)


def test_scores_of_chance_begin_at_one_half() -> None:
    scores = np.random.default_rng(4).random(80)

    estimate = either_way(LABELS, scores, PATIENTS)

    assert estimate.low == 0.5
    assert estimate.high is not None
    assert 0.5 <= estimate.value < estimate.high < 0.75


def test_scores_that_are_not_finite_separate_nothing() -> None:
    assert separation(LABELS, np.full(80, np.nan), PATIENTS).value == 0.5
