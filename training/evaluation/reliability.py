"""How well probabilities agree with what was observed: bins, scores and the calibration line."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logit
from scipy.stats import rankdata

from training.evaluation.statistics import Labels, Values, wilson

BINS = 10
SMALLEST = float(np.finfo(np.float64).eps)
"""Distance that a probability keeps from 0 and 1 where its logarithm is taken."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of similar probability.

    `probability`: mean of the predictions. `observed`: share of positive labels, with its 95 %
    interval from `low` to `high`. `count`: number of predictions.
    """

    probability: float
    observed: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class ProperScore:
    """Mean loss of probabilities, beside that of always saying the share of positive labels.

    Probabilities that lose more than `constant` are worse than none.
    """

    value: float
    constant: float


def reliability(
    labels: Labels, probabilities: Values, patients: Sequence[str], bins: int = BINS
) -> list[Bin]:
    """Group the predictions into at most `bins` groups of nearly equal size, lowest first.

    Equal probabilities are always in the same group. Groups of equal size tell something at a low
    prevalence too, where nearly all probabilities lie between 0 and 0.1. Intervals are Wilson's for
    as many cases as a group has patients: a bootstrap would give a group without cancer no width,
    and images of one patient are not independent.
    """
    names = np.asarray(patients)
    share_below = (rankdata(probabilities) - 0.5) / len(probabilities)
    indices = (share_below * bins).astype(int)
    groups = [np.flatnonzero(indices == index) for index in np.unique(indices)]

    result = []
    for group in groups:
        observed = wilson(float(labels[group].mean()), len(np.unique(names[group])))
        mean = float(probabilities[group].mean())
        result.append(Bin(mean, observed.value, observed.low, observed.high, len(group)))

    return result


def brier(labels: Labels, probabilities: Values) -> ProperScore:
    """Return the mean squared difference of probability and label."""
    constant = np.full(len(labels), labels.mean())
    return ProperScore(
        float(squared_errors(labels, probabilities).mean()),
        float(squared_errors(labels, constant).mean()),
    )


def nll(labels: Labels, probabilities: Values) -> ProperScore:
    """Return the cross-entropy (negative log-likelihood) in nats."""
    constant = np.full(len(labels), labels.mean())
    return ProperScore(
        float(log_losses(labels, probabilities).mean()),
        float(log_losses(labels, constant).mean()),
    )


def squared_errors(labels: Labels, probabilities: Values) -> Values:
    """Return the squared difference of probability and label of each case."""
    return np.asarray((probabilities - labels) ** 2)


def log_losses(labels: Labels, probabilities: Values) -> Values:
    """Return minus the logarithm of the probability that each case's own label was given."""
    given = np.where(labels == 1, probabilities, 1 - probabilities)
    return np.asarray(-np.log(given.clip(SMALLEST, 1)))


def log_odds(probabilities: Values) -> Values:
    """Return the log-odds of probabilities, finite for 0 and 1 too."""
    return np.asarray(logit(probabilities.clip(SMALLEST, 1 - SMALLEST)))
