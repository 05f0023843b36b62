"""Calibration of margins: from the logits of a network to probabilities that can be believed."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from training.evaluation.statistics import Labels, Values

MAX_TEMPERATURE = 20.0


@dataclass(frozen=True, slots=True)
class PlattScaling:
    """Straight line from the margin of a network to the log-odds of cancer.

    The probability is sigmoid(margin / temperature + offset). The offset holds the prevalence.
    Platt, "Probabilistic Outputs for Support Vector Machines", 1999, with a slope that is always
    positive.
    """

    temperature: float
    offset: float = 0.0

    def moved(self, from_prevalence: float, to_prevalence: float) -> "PlattScaling":
        """Return the scaling for a population with another share of cancers.

        Both shares are above 0 and below 1. The cancers of both populations must look alike, and so
        must the rest. Then the odds of every case change by the same factor.
        """
        shift = float(logit(to_prevalence) - logit(from_prevalence))
        return PlattScaling(self.temperature, self.offset + shift)


def fit_calibration(labels: Labels, margins: Values) -> PlattScaling:
    """Fit the temperature (1/20 to 20) and the offset that minimise the cross-entropy.

    `labels` hold both classes. `margins`: logit of cancer minus that of no cancer.

    Margins that separate the classes do not determine a temperature: the smallest would always be
    best, and round all probabilities to 0 and 1. Then it is 1. In every case the mean probability
    is the share of cancers in `labels`.
    """
    if margins[labels == 0].max() <= margins[labels == 1].min():
        return PlattScaling(1.0, _balance(labels, margins))

    def gradient(log_slope: float) -> float:
        """Return the derivative by the slope, where the offset is the best for that slope."""
        slope = math.exp(log_slope)
        errors = expit(slope * margins + _balance(labels, slope * margins)) - labels
        return float((errors * margins).mean())

    # The cross-entropy is convex in slope and offset, so the derivative changes its sign once.
    bound = math.log(MAX_TEMPERATURE)
    if gradient(-bound) >= 0:
        log_slope = -bound
    elif gradient(bound) <= 0:
        log_slope = bound
    else:
        log_slope = float(brentq(gradient, -bound, bound))

    slope = math.exp(log_slope)
    return PlattScaling(1 / slope, _balance(labels, slope * margins))


def calibrate(margins: Values, scaling: PlattScaling) -> Values:
    """Return the calibrated probabilities of the positive class."""
    return np.asarray(expit(margins / scaling.temperature + scaling.offset), dtype=np.float64)


def _balance(labels: Labels, scaled: Values) -> float:
    """Return the offset at which the mean probability is the share of positive labels."""
    share = float(labels.mean())
    prior = float(logit(share))

    # With these two offsets every probability is at most the share, and at least the share.
    lowest = prior - float(scaled.max())
    highest = prior - float(scaled.min())
    if lowest == highest:
        return lowest

    return float(
        brentq(lambda offset: expit(scaled + offset).mean() - share, lowest - 1, highest + 1)
    )
