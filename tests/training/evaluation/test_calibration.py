import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from training.evaluation.calibration import (
    PlattScaling,
    calibrate,
    fit_calibration,
)
from training.evaluation.reliability import nll
from training.evaluation.statistics import Labels, Values

DISTANCE = np.sqrt(2) * norm.ppf(0.80)
"""Between the means of two normal distributions of variance 1 whose AUC is 0.80."""


def screened(
    prevalence: float, overconfidence: float, *, count: int = 40_000, seed: int = 0
) -> tuple[Labels, Values]:
    """Return labels, and margins that are the log-likelihood ratio times the overconfidence."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(count, np.int32)
    labels[: round(prevalence * count)] = 1
    evidence = rng.normal(size=count) + DISTANCE * (labels - 0.5)
    return labels, overconfidence * DISTANCE * evidence


def cross_entropy(labels: Labels, margins: Values, scaling: PlattScaling) -> float:
    odds = margins / scaling.temperature + scaling.offset
    return float(np.logaddexp(0, np.where(labels == 1, -odds, odds)).mean())


@pytest.mark.parametrize("overconfidence", [2, 3])
@pytest.mark.parametrize("prevalence", [0.33, 0.05, 0.02])
def test_calibration_holds_at_screening_prevalence(
    prevalence: float, overconfidence: float
) -> None:
    labels, margins = screened(prevalence, overconfidence, seed=1)

    scaling = fit_calibration(*screened(prevalence, overconfidence))
    probabilities = calibrate(margins, scaling)

    assert scaling.temperature == pytest.approx(overconfidence, rel=0.1)
    assert scaling.offset == pytest.approx(logit(prevalence), abs=0.1)
    assert 0.9 < probabilities.mean() / prevalence < 1.1
    assert nll(labels, probabilities).value < nll(labels, probabilities).constant


@pytest.mark.parametrize("overconfidence", [2, 3])
def test_calibration_moves_to_another_prevalence(overconfidence: float) -> None:
    labels, margins = screened(0.02, overconfidence, seed=1)

    scaling = fit_calibration(*screened(0.33, overconfidence)).moved(0.33, 0.02)
    probabilities = calibrate(margins, scaling)

    assert 0.9 < probabilities.mean() / 0.02 < 1.1
    assert nll(labels, probabilities).value < nll(labels, probabilities).constant


@pytest.mark.parametrize("cancers", [10, 60, 200])
def test_calibration_equals_logistic_regression(cancers: int) -> None:
    labels, margins = screened(cancers / 500, 2.5, count=500)
    line = LogisticRegression(C=np.inf, tol=1e-10).fit(margins[:, None], labels)

    scaling = fit_calibration(labels, margins)

    assert 1 / scaling.temperature == pytest.approx(line.coef_[0, 0], rel=1e-4)
    assert scaling.offset == pytest.approx(line.intercept_[0], rel=1e-4)


@pytest.mark.parametrize(("factor", "temperature"), [(-1, 20), (100, 20), (0.001, 1 / 20)])
def test_slope_stays_positive_and_bounded(factor: float, temperature: float) -> None:
    labels, margins = screened(0.1, 1, count=500)
    margins = factor * margins

    scaling = fit_calibration(labels, margins)

    assert scaling.temperature == pytest.approx(temperature)
    # No other offset is better at the bound.
    assert cross_entropy(labels, margins, scaling) < min(
        cross_entropy(labels, margins, PlattScaling(temperature, scaling.offset + shift))
        for shift in (-0.01, 0.01)
    )


@pytest.mark.parametrize(
    "margins",
    [
        [-3.0, -2.0, 1.0, 4.0],
        [5.0, 6.0, 7.0, 9.0],
        [-1000.0, -1.0, -1.0, 1000.0],
        [2.0, 2.0, 2.0, 2.0],
    ],
)
def test_separated_classes_keep_the_scale(margins: list[float]) -> None:
    labels = np.array([0, 0, 1, 1], np.int32)

    scaling = fit_calibration(labels, np.array(margins))

    assert scaling.temperature == 1
    assert calibrate(np.array(margins), scaling).mean() == pytest.approx(0.5)


def test_one_cancer_of_many_is_calibrated() -> None:
    labels = np.zeros(1000, np.int32)
    labels[0] = 1
    margins = np.linspace(-5, 5, 1000)

    probabilities = calibrate(margins, fit_calibration(labels, margins))

    assert probabilities.mean() == pytest.approx(0.001)


def test_move_changes_the_odds_alone() -> None:
    margins = np.array([-2.0, 0.5, 3.0])
    scaling = PlattScaling(1.7, -0.4)

    before = calibrate(margins, scaling)
    after = calibrate(margins, scaling.moved(0.5, 0.2))

    # Odds of 1 become odds of 1 to 4.
    assert after / (1 - after) == pytest.approx(before / (1 - before) / 4)


def test_temperature_undoes_overconfidence() -> None:
    # Of 10 images with margin m, 9 are as predicted: the calibrated margin is ln 9 for any m.
    labels = np.array(([1] * 9 + [0]) + ([0] * 9 + [1]), dtype=np.int32)

    for margin in (1.0, 5.0, 20.0):
        margins = np.array([margin] * 10 + [-margin] * 10)
        temperature = fit_calibration(labels, margins).temperature
        assert temperature == pytest.approx(margin / np.log(9), rel=1e-3)


def test_margins_without_errors_keep_their_temperature() -> None:
    scaling = fit_calibration(np.array([0, 1], np.int32), np.array([-1.0, 1.0]))

    assert scaling.temperature == 1
    assert scaling.offset == pytest.approx(0)


def test_temperature_stays_within_its_bound() -> None:
    # One error in 500 would need a slope of about 6,000 for margins of a thousandth.
    labels = np.array([0, 1] * 500, np.int32)
    margins = np.array([-1e-3, 1e-3] * 499 + [1e-3, -1e-3])

    assert fit_calibration(labels, margins).temperature == pytest.approx(1 / 20)


def test_probability_is_that_of_scaled_logits() -> None:
    logits = np.array([0.3, 2.1])
    scaled = np.exp(logits / 1.7 + np.array([0, -0.6]))

    probability = calibrate(np.array([1.8]), PlattScaling(1.7, -0.6))[0]

    assert probability == pytest.approx(scaled[1] / scaled.sum())
    assert calibrate(np.array([1.8]), PlattScaling(1.7))[0] == pytest.approx(expit(1.8 / 1.7))
