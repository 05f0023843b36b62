import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from training.evaluation.calibration_figures import (
    CALIBRATION_FIGURES,
    calibration_error,
    calibration_line,
)
from training.evaluation.resampling import intervals, measure, tabulate
from training.evaluation.statistics import Labels, Values


def predicted(
    slope: float, intercept: float, *, count: int = 400, seed: int = 0
) -> tuple[Labels, Values]:
    """Return labels, and probabilities whose calibration line has this slope and intercept."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-2, 1.5, size=count)
    labels = (rng.random(count) < expit(slope * odds + intercept)).astype(np.int32)
    return labels, expit(odds)


def regression(labels: Labels, probabilities: Values) -> tuple[float, float]:
    model = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(probabilities)[:, None], labels)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (0.4, -1), (2, 1), (-0.5, -2)])
def test_line_equals_logistic_regression(slope: float, intercept: float) -> None:
    labels, probabilities = predicted(slope, intercept)

    line = calibration_line(labels, probabilities)

    assert line is not None
    assert (line.slope, line.intercept) == pytest.approx(
        regression(labels, probabilities), rel=1e-3, abs=1e-4
    )


def test_line_tells_how_probabilities_were_made() -> None:
    line = calibration_line(*predicted(0.5, -0.7, count=50_000))

    assert line is not None
    assert (line.slope, line.intercept) == pytest.approx((0.5, -0.7), abs=0.05)


def test_calibration_in_the_large_balances_the_sums() -> None:
    labels, probabilities = predicted(0.6, 1)

    line = calibration_line(labels, probabilities)

    shift = brentq(lambda b: (expit(logit(probabilities) + b) - labels).sum(), -10, 10)
    assert line is not None
    assert line.in_the_large == pytest.approx(shift)


@pytest.mark.parametrize(
    ("labels", "probabilities"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4]),
        ([1, 1, 0, 0], [0.1, 0.2, 0.3, 0.4]),
        ([0, 1, 0, 1], [0.1, 0.2, 0.2, 0.4]),
        ([0, 1, 0, 1], [0.3, 0.3, 0.3, 0.3]),
        ([0, 0, 0, 0], [0.1, 0.2, 0.3, 0.4]),
        ([1, 1, 1, 1], [0.1, 0.2, 0.3, 0.4]),
    ],
)
def test_undetermined_line_is_none(labels: list[int], probabilities: list[float]) -> None:
    assert calibration_line(np.array(labels, np.int32), np.array(probabilities)) is None


@pytest.mark.parametrize("seed", range(6))
def test_line_of_extreme_probabilities_is_the_most_likely(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = (rng.random(300) < 0.03).astype(np.int32)
    probabilities = expit((3 * rng.standard_cauchy(300) + 4 * labels).clip(-30, 30))
    odds = logit(probabilities)

    line = calibration_line(labels, probabilities)

    # The derivatives of the likelihood are 0.
    assert line is not None
    errors = labels - expit(line.slope * odds + line.intercept)
    assert errors.sum() == pytest.approx(0, abs=1e-5)
    assert errors @ odds == pytest.approx(0, abs=1e-4)


def test_weights_count_as_repeated_cases() -> None:
    labels, probabilities = predicted(0.8, 0.5)
    weights = np.random.default_rng(1).integers(0, 3, size=(2, 400))
    draws = tabulate(labels, probabilities, weights.astype(np.float64))

    values = {name: figure(draws) for name, figure in CALIBRATION_FIGURES.items()}

    for row, counts in enumerate(weights):
        repeated = np.repeat(np.arange(400), counts)
        drawn = labels[repeated], probabilities[repeated]
        assert values["brier"][row] == pytest.approx(brier_score_loss(*drawn))
        assert values["nll"][row] == pytest.approx(log_loss(*drawn))
        assert values["expected_to_observed"][row] == pytest.approx(
            drawn[1].mean() / drawn[0].mean()
        )
        assert values["calibration_slope"][row] == pytest.approx(regression(*drawn)[0], rel=1e-3)


def test_interval_of_the_slope_holds_the_true_one() -> None:
    labels, probabilities = predicted(0.5, 0, count=2000)

    interval = intervals(
        CALIBRATION_FIGURES, labels, probabilities, [str(i // 2) for i in range(2000)]
    )["calibration_slope"]

    # The standard error of the slope by the observed information.
    odds = logit(probabilities)
    spread = expit(0.5 * odds) * expit(-0.5 * odds)
    information = np.array([[spread @ odds**2, spread @ odds], [spread @ odds, spread.sum()]])
    error = float(np.sqrt(np.linalg.inv(information)[0, 0]))
    assert interval.low < 0.5 < interval.high
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_one_class_defines_the_losses_alone() -> None:
    labels = np.zeros(4, np.int32)
    probabilities = np.array([0.1, 0.2, 0.3, 0.4])

    values = {
        name: measure(figure, labels, probabilities) for name, figure in CALIBRATION_FIGURES.items()
    }

    named = {name for name, value in values.items() if value is not None}
    assert named == {"brier", "nll", "expected_calibration_error"}


def test_calibration_error_equals_hand_worked_case() -> None:
    """Ten groups of two cases. The first and the sixth are off, and the last holds a tie."""
    probabilities = np.repeat([0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.7, 0.8, 0.9], 2)
    probabilities[:2] = (0.05, 0.07)
    labels = np.array([0, 1] * 10, np.int32)

    error = measure(calibration_error, labels, probabilities)

    gaps = [0.44, 0.3, 0.2, 0.1, 0, 0.05, 0.1, 0.2, 0.3, 0.4]
    assert error == pytest.approx(np.mean(gaps))


def test_calibration_error_of_draws_groups_each_anew() -> None:
    """The oracle groups the repeated cases themselves, by scikit-learn's quantiles."""
    labels, probabilities = predicted(0.4, 0.5)
    weights = np.array([np.ones(400), np.repeat([0, 2], 200)[np.argsort(probabilities)]])
    draws = tabulate(labels, probabilities, weights)

    errors = calibration_error(draws)

    for error, counts in zip(errors, weights.astype(int), strict=True):
        repeated = np.repeat(np.arange(400), counts)
        observed, mean = calibration_curve(
            labels[repeated], probabilities[repeated], n_bins=10, strategy="quantile"
        )
        # Ten groups of 40: the weights repeat whole cases.
        assert error == pytest.approx(np.abs(observed - mean).mean(), abs=0.005)
        assert error > 0.02
