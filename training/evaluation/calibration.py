"""Whether probabilities keep their word, and the one number that makes them."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit

from training.evaluation.statistics import Labels, Values

BINS = 10
MAX_TEMPERATURE = 20.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of similar probability: their mean, the share that turned out positive, and their number."""

    probability: float
    observed: float
    count: int


def fit_temperature(labels: Labels, margins: Values) -> float:
    """The T for which sigmoid(margin / T) has the least cross-entropy, between 1/20 and 20.

    `margins`: logit of the positive class minus that of the other. Guo et al., "On Calibration of Modern Neural
    Networks", ICML 2017, 4.2.
    """
    signed = np.where(labels == 1, 1, -1) * margins
    bound = np.log(MAX_TEMPERATURE)
    # In 1/T the cross-entropy is convex; over its logarithm it still has the one minimum, and the search is even.
    result = minimize_scalar(
        lambda log_t: np.logaddexp(0, -signed / np.exp(log_t)).mean(),
        bounds=(-bound, bound),
        method="bounded",
    )
    return float(np.exp(result.x))


def calibrate(margins: Values, temperature: float) -> Values:
    """Probabilities of the positive class."""
    return np.asarray(expit(margins / temperature), dtype=np.float64)


def reliability(labels: Labels, probabilities: Values, bins: int = BINS) -> list[Bin]:
    """The predictions in bins of equal width over [0, 1], without the empty ones."""
    places = np.minimum((probabilities * bins).astype(int), bins - 1)
    groups = [np.flatnonzero(places == place) for place in range(bins)]
    return [
        Bin(float(probabilities[group].mean()), float(labels[group].mean()), len(group))
        for group in groups
        if len(group)
    ]


def expected_calibration_error(bins: list[Bin]) -> float:
    """The mean distance of probability and observation, weighted by the number of predictions."""
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.probability - each.observed) for each in bins) / total
