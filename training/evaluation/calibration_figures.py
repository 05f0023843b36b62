"""Figures of how well probabilities are calibrated, over many draws at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from training.evaluation.reliability import BINS, log_losses, log_odds, squared_errors
from training.evaluation.resampling import Draws, Figure, tabulate
from training.evaluation.statistics import Labels, Values

_ITERATIONS = 40
_TOLERANCE = 1e-8
_STEP = 5.0
"""Longest step of the search for a line, in log-odds."""


@dataclass(frozen=True, slots=True)
class CalibrationLine:
    """Logistic regression of the labels on the log-odds of the probabilities.

    Perfect probabilities have slope 1 and intercept 0. A slope below 1 is overconfidence.
    `in_the_large`: the intercept where the slope is held at 1, above 0 if cancers are more frequent
    than the probabilities say. Van Calster et al., "Calibration: the Achilles heel of predictive
    analytics", BMC Medicine 17, 2019.
    """

    slope: float
    intercept: float
    in_the_large: float


def calibration_line(labels: Labels, probabilities: Values) -> CalibrationLine | None:
    """Return the calibration line, or None where the cases determine none.

    That is so with one class, with probabilities that are all the same, and with probabilities that
    separate the classes.
    """
    draws = tabulate(labels, probabilities, np.ones((1, len(labels))))
    slope, intercept = _fit_line(draws)
    if not np.isfinite(slope[0]):
        return None

    return CalibrationLine(float(slope[0]), float(intercept[0]), float(in_the_large(draws)[0]))


def mean_brier(draws: Draws) -> Values:
    """Return the Brier score."""
    return _mean(draws, squared_errors(draws.labels, draws.scores))


def mean_nll(draws: Draws) -> Values:
    """Return the cross-entropy in nats."""
    return _mean(draws, log_losses(draws.labels, draws.scores))


def expected_to_observed(draws: Draws) -> Values:
    """Return the mean probability by the share of cancers. Above 1 the probabilities are high."""
    cancers = np.where(draws.positives > 0, draws.positives, np.nan)
    return (draws.weights @ draws.scores) / cancers


def calibration_error(draws: Draws) -> Values:
    """Return the expected calibration error over groups of nearly equal size.

    The groups are made anew in each draw, as `reliability` makes them. Chance alone gives an error
    above 0, and a larger one in a draw than in the data.
    """
    cancers = np.diff(draws.true_positives, axis=1, prepend=0)
    called = draws.true_positives + draws.false_positives
    counts = np.diff(called, axis=1, prepend=0)
    total = called[:, [-1]]

    # Share of the cases with lower probabilities, and of half of those with the same.
    share_below = (total - called + counts / 2) / total
    groups = (share_below * BINS).astype(int)
    gaps = counts * draws.thresholds - cancers

    sums = [np.abs((gaps * (groups == group)).sum(axis=1)) for group in range(BINS)]
    return np.asarray(np.sum(sums, axis=0) / total[:, 0])


def slope(draws: Draws) -> Values:
    """Return the slope of the calibration line."""
    return _fit_line(draws)[0]


def in_the_large(draws: Draws) -> Values:
    """Return the intercept of the calibration line where its slope is held at 1."""
    odds = log_odds(draws.scores)
    intercepts = np.zeros(len(draws.weights))
    steps = np.ones_like(intercepts)

    # Newton's method, with steps of at most 1.
    for _ in range(_ITERATIONS):
        chances = draws.weights * expit(odds + intercepts[:, None])
        spread = (chances * (1 - expit(odds + intercepts[:, None]))).sum(axis=1)
        missing = draws.positives - chances.sum(axis=1)
        steps = (missing / np.maximum(spread, _TOLERANCE)).clip(-1, 1)
        intercepts = intercepts + steps
        if (np.abs(steps) < _TOLERANCE).all():
            break

    both = (draws.positives > 0) & (draws.negatives > 0)
    return np.where(both & (np.abs(steps) < _TOLERANCE), intercepts, np.nan)


CALIBRATION_FIGURES: dict[str, Figure] = {
    "brier": mean_brier,
    "nll": mean_nll,
    "expected_calibration_error": calibration_error,
    "expected_to_observed": expected_to_observed,
    "calibration_slope": slope,
    "calibration_in_the_large": in_the_large,
}


def _fit_line(draws: Draws) -> tuple[Values, Values]:
    """Return slope and intercept of each draw, not a number where it determines no line."""
    odds = log_odds(draws.scores)
    centre = float(odds.mean())
    scale = float(odds.std())
    if scale < _TOLERANCE:
        nothing = np.full(len(draws.weights), np.nan)
        return nothing, nothing

    # The line of all draws together is a good start for each of them.
    basis = np.stack([(odds - centre) / scale, np.ones_like(odds)], axis=1)
    pooled = draws.weights.mean(axis=0, keepdims=True)
    start = np.nan_to_num(_climb(draws.labels, pooled, basis, np.zeros((1, 2))))
    lines = _climb(draws.labels, draws.weights, basis, np.tile(start, (len(draws.weights), 1)))

    # A steeper line is always better where the scores separate the classes.
    slopes = np.where(_separated(draws), np.nan, lines[:, 0] / scale)
    return slopes, lines[:, 1] - slopes * centre


def _separated(draws: Draws) -> NDArray[np.bool_]:
    """Return whether the classes of each draw have at most one score in common."""
    cancers = draws.true_positives
    healthy = draws.false_positives
    cancers_above = np.pad(cancers, ((0, 0), (1, 0)))[:, :-1]
    healthy_above = np.pad(healthy, ((0, 0), (1, 0)))[:, :-1]

    # At one score all cases of one class are counted, and none of the other is above it.
    rising = (healthy_above == 0) & (cancers == draws.positives[:, None])
    falling = (cancers_above == 0) & (healthy == draws.negatives[:, None])
    return np.asarray((rising | falling).any(axis=1))


def _climb(labels: Labels, weights: Values, basis: Values, lines: Values) -> Values:
    """Return the most likely lines [D, 2] by Newton's method, not a number if it does not settle.

    `basis` [N, 2]: what slope and offset of a line are multiplied by.
    """
    step = np.ones_like(lines)
    for _ in range(_ITERATIONS):
        step = _newton_step(labels, weights, basis, lines)
        lines = lines + step
        if (np.abs(step) < _TOLERANCE).all():
            break

    settled = (np.abs(step) < _TOLERANCE).all(axis=1, keepdims=True)
    return np.where(settled, lines, np.nan)


def _newton_step(labels: Labels, weights: Values, basis: Values, lines: Values) -> Values:
    """Return the step [D, 2] to where the slope of the log-likelihood is 0, at most 5 long."""
    chances = expit(lines @ basis.T)
    named = weights * chances
    gradient = weights @ (labels[:, None] * basis) - named @ basis

    # Solve the two equations. The determinant of a draw without a line goes to 0.
    products = np.stack([basis[:, 0] ** 2, basis[:, 0], basis[:, 1]], axis=1)
    slope2, both, offset2 = ((named * (1 - chances)) @ products).T
    determinant = np.maximum(slope2 * offset2 - both**2, 1e-100)
    step = np.stack(
        [
            (offset2 * gradient[:, 0] - both * gradient[:, 1]) / determinant,
            (slope2 * gradient[:, 1] - both * gradient[:, 0]) / determinant,
        ],
        axis=1,
    )
    longest = np.abs(step).max(axis=1, keepdims=True)
    return np.asarray(step * (_STEP / np.maximum(longest, _STEP)))


def _mean(draws: Draws, losses: Values) -> Values:
    """Return the mean of the losses [N] in each draw."""
    return np.asarray(draws.weights @ losses / draws.weights.sum(axis=1))
