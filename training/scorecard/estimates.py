"""Estimates of a scorecard: a value with its 95 % interval and the number of cases behind it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from training.evaluation.statistics import Labels, Values, auc, bootstrap

CONFIDENCE = 0.95
CHANCE = 0.5
"""AUC of scores that tell nothing."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, and its interval `low` .. `high` and number of `cases` where it has them."""

    value: float
    low: float | None = None
    high: float | None = None
    cases: int | None = None


def share(hits: int, cases: int) -> Estimate | None:
    """Return the share of hits with Wilson's interval, or None without a case."""
    if not cases:
        return None

    interval = stats.binomtest(hits, cases).proportion_ci(CONFIDENCE, "wilson")
    return Estimate(hits / cases, float(interval.low), float(interval.high), cases)


def mean(values: Sequence[float]) -> Estimate | None:
    """Return the mean with Student's interval, or None with fewer than two values."""
    count = len(values)
    if count < 2:  # noqa: PLR2004 - no spread
        return None

    centre = float(np.mean(values))
    half = float(stats.sem(values) * stats.t.ppf((1 + CONFIDENCE) / 2, count - 1))
    return Estimate(centre, centre - half, centre + half, count)


def separation(labels: Labels, scores: Values, patients: Sequence[str]) -> Estimate:
    """Return the AUC with its bootstrap interval by patient. `cases`: of the rarer class.

    The AUC of a network that has diverged, whose scores are not finite, is 0.5. With one class
    alone it is not a number.
    """
    cases = int(min((labels == 1).sum(), (labels == 0).sum()))
    if not cases:
        return Estimate(math.nan, cases=0)
    if not np.isfinite(scores).all():
        return Estimate(CHANCE, CHANCE, CHANCE, cases)

    interval = bootstrap(auc, labels, scores, patients)
    return Estimate(interval.value, interval.low, interval.high, cases)


def either_way(labels: Labels, scores: Values, patients: Sequence[str]) -> Estimate:
    """Return max(AUC, 1 - AUC): below 0.5 the scores separate the classes as well."""
    signed = separation(labels, scores, patients)
    return Estimate(max(signed.value, 1 - signed.value), *_folded(signed), signed.cases)


def _folded(signed: Estimate) -> tuple[float, float]:
    """Return the interval of max(AUC, 1 - AUC)."""
    low = CHANCE if signed.low is None else signed.low
    high = CHANCE if signed.high is None else signed.high

    farthest = max(high, 1 - low)
    nearest = CHANCE if low <= CHANCE <= high else min(max(low, 1 - low), max(high, 1 - high))
    return nearest, farthest
