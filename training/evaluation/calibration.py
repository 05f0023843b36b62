"""Calibration of probabilities by temperature, and its error."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit

from training.evaluation.statistics import Labels, Values

BINS = 10
MAX_TEMPERATURE = 20.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of similar probability.

    `probability`: mean of the predictions. `observed`: share of positive labels. `count`: number of
    predictions.
    """

    probability: float
    observed: float
    count: int


def fit_temperature(labels: Labels, margins: Values) -> float:
    """Fit the T between 1/20 and 20 that minimises the cross-entropy of sigmoid(margin / T).

    `margins`: logit of the positive class minus that of the other. Guo et al., "On Calibration of
    Modern Neural Networks", ICML 2017, 4.2.

    Margins that are all right do not determine a temperature: the smallest would always be best,
    and round all probabilities to 0 and 1. Then it is 1.
    """
    signed = np.where(labels == 1, 1, -1) * margins
    if (signed > 0).all():
        return 1.0

    bound = np.log(MAX_TEMPERATURE)

    # The cross-entropy is convex in 1/T. Over log T it still has a single minimum, and the search
    # treats factors above and below 1 alike.
    result = minimize_scalar(
        lambda log_t: np.logaddexp(0, -signed / np.exp(log_t)).mean(),
        bounds=(-bound, bound),
        method="bounded",
    )
    return float(np.exp(result.x))


def calibrate(margins: Values, temperature: float) -> Values:
    """Return the calibrated probabilities of the positive class."""
    return np.asarray(expit(margins / temperature), dtype=np.float64)


def reliability(labels: Labels, probabilities: Values, bins: int = BINS) -> list[Bin]:
    """Group the predictions into bins of equal width over [0, 1], without the empty ones."""
    indices = np.minimum((probabilities * bins).astype(int), bins - 1)
    groups = [np.flatnonzero(indices == index) for index in range(bins)]

    return [
        Bin(float(probabilities[group].mean()), float(labels[group].mean()), len(group))
        for group in groups
        if len(group)
    ]


def expected_calibration_error(bins: list[Bin]) -> float:
    """Return the mean gap between probability and observed share, weighted by bin count."""
    total = sum(group.count for group in bins)
    return sum(group.count * abs(group.probability - group.observed) for group in bins) / total
