import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from training.evaluation.reliability import brier, nll, reliability


def singles(count: int) -> list[str]:
    """Return as many patients, of one image each."""
    return [str(number) for number in range(count)]


def test_bins_hold_equal_numbers() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.beta(1, 30, size=1000)
    labels = (rng.random(1000) < probabilities).astype(np.int32)

    bins = reliability(labels, probabilities, singles(1000))

    observed, mean = calibration_curve(labels, probabilities, n_bins=10, strategy="quantile")
    assert [group.count for group in bins] == [100] * 10
    assert [group.probability for group in bins] == pytest.approx(mean)
    assert [group.observed for group in bins] == pytest.approx(observed)


def test_bins_never_split_equal_probabilities() -> None:
    probabilities = np.array([0.1] * 7 + [0.2] + [0.3] * 5 + [0.4])
    labels = np.array([1] + [0] * 13, np.int32)

    bins = reliability(labels, probabilities, singles(14), bins=7)

    # Two in each bin if they were told apart: the tie of seven is in the bin of its middle.
    assert [group.count for group in bins] == [7, 1, 5, 1]
    assert (bins[0].probability, bins[0].observed) == pytest.approx((0.1, 1 / 7))


def test_interval_counts_each_patient_once() -> None:
    """Ten images of five patients in each bin. One bin has two cancers, the other none."""
    probabilities = np.repeat([0.1, 0.8], 10)
    labels = np.array([0] * 10 + [1] * 2 + [0] * 8, np.int32)
    patients = [str(number // 2) for number in range(20)]

    none, some = reliability(labels, probabilities, patients)

    wide = binomtest(0, 5).proportion_ci(0.95, "wilson")
    assert (none.observed, none.low, none.high) == pytest.approx((0, 0, wide.high))
    shared = binomtest(1, 5).proportion_ci(0.95, "wilson")
    assert (some.observed, some.low, some.high) == pytest.approx((0.2, shared.low, shared.high))
    assert (none.count, some.count) == (10, 10)


def test_constant_probability_is_one_bin() -> None:
    bins = reliability(np.array([0, 1, 0, 0], np.int32), np.full(4, 0.3), singles(4))

    assert [(group.observed, group.count) for group in bins] == [(0.25, 4)]
    assert bins[0].probability == pytest.approx(0.3)


def test_scores_equal_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(200) < 0.1).astype(np.int32)
    probabilities = np.append(rng.random(198), [0.0, 1.0])
    constant = np.full(200, labels.mean())

    assert brier(labels, probabilities).value == pytest.approx(
        brier_score_loss(labels, probabilities)
    )
    assert brier(labels, probabilities).constant == pytest.approx(
        brier_score_loss(labels, constant)
    )
    assert nll(labels, probabilities).value == pytest.approx(log_loss(labels, probabilities))
    assert nll(labels, probabilities).constant == pytest.approx(log_loss(labels, constant))


def test_certain_and_wrong_costs_a_finite_loss() -> None:
    score = nll(np.array([0, 0], np.int32), np.array([1.0, 0.0]))

    assert 10 < score.value < 20
    assert score.constant == 0
