"""Statistics of labels (0 or 1), scores, and the patients they belong to."""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

BOOTSTRAP_DRAWS = 1000
BOOTSTRAP_SEED = 0
_QUANTILE = 1.959963984540054
"""Of the standard normal distribution at 97.5 %."""

Labels = NDArray[np.int32]
Values = NDArray[np.float64]
Group = TypeVar("Group", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Interval:
    """Estimate and its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of decisions, where a score at or above the threshold is positive."""

    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int

    @property
    def sensitivity(self) -> float:
        """Share of positive labels that are decided positive."""
        return self.true_positives / (self.true_positives + self.false_negatives)

    @property
    def specificity(self) -> float:
        """Share of negative labels that are decided negative."""
        return self.true_negatives / (self.true_negatives + self.false_positives)


def auc(labels: Labels, scores: Values) -> float:
    """Return the area under the ROC curve, from the ranks of the scores.

    Hanley and McNeil, "The Meaning and Use of the Area under an ROC Curve", Radiology 143, 1982. A
    bootstrap calls it a thousand times, and scikit-learn's takes ten times as long.
    """
    ranks = rankdata(scores)
    positive = labels == 1
    count = int(positive.sum())

    above = ranks[positive].sum() - count * (count + 1) / 2
    return float(above / (count * (len(labels) - count)))


def confusion(labels: Labels, scores: Values, threshold: float | Values) -> Confusion:
    """Count decisions by label. A score at the threshold, or at its own one, is positive."""
    positive = scores >= threshold
    cancer = labels == 1

    return Confusion(
        true_positives=int((positive & cancer).sum()),
        false_positives=int((positive & ~cancer).sum()),
        true_negatives=int((~positive & ~cancer).sum()),
        false_negatives=int((~positive & cancer).sum()),
    )


def bootstrap(
    figure: Callable[[Labels, Values], float],
    labels: Labels,
    scores: Values,
    patients: Sequence[str],
) -> Interval:
    """Return the figure and its percentile bootstrap interval, by drawing whole patients.

    Images of one patient are not independent, so drawing single images would make the interval too
    narrow. Draws without both classes are left out. Efron and Tibshirani, "An Introduction to the
    Bootstrap", 1993, ch. 13.
    """
    rng = np.random.default_rng(BOOTSTRAP_SEED)

    # Indices of each patient's rows.
    names = np.asarray(patients)
    members = [np.flatnonzero(names == name) for name in np.unique(names)]

    values = []
    for _ in range(BOOTSTRAP_DRAWS):
        drawn = np.concatenate(
            [members[index] for index in rng.integers(len(members), size=len(members))]
        )
        if labels[drawn].min() != labels[drawn].max():
            values.append(figure(labels[drawn], scores[drawn]))

    low, high = np.percentile(values, (2.5, 97.5))
    return Interval(figure(labels, scores), float(low), float(high))


def wilson(share: float, cases: int) -> Interval:
    """Return a share of that many cases with Wilson's interval, which has a width at 0 and 1 too.

    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", J. Am. Stat.
    Assoc. 22, 1927.
    """
    spread = _QUANTILE**2 / cases
    centre = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * share * (1 - share) + spread**2 / 4) / (1 + spread)

    # Rounding must not put a share of 0 or 1 outside, or an end below 0 or above 1.
    low = min(max(centre - half, 0.0), share)
    high = max(min(centre + half, 1.0), share)
    return Interval(share, low, high)


def aggregate(
    groups: Sequence[Group], labels: Labels, scores: Values
) -> tuple[list[Group], Labels, Values]:
    """Return the groups in order of appearance, with the highest label and mean score of each.

    The mean score of a breast's views does not grow with their number, unlike the highest.
    """
    members: dict[Group, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)

    highest = np.array([labels[indices].max() for indices in members.values()], dtype=np.int32)
    means = np.array([scores[indices].mean() for indices in members.values()])
    return list(members), highest, means
