"""Figures of merit from labels (0 or 1), scores and the patients they belong to."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve

BOOTSTRAP_DRAWS = 1000
BOOTSTRAP_SEED = 0

Labels = NDArray[np.int32]
Values = NDArray[np.float64]
Group = TypeVar("Group", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of decisions, "positive" from a threshold on."""

    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int

    @property
    def sensitivity(self) -> float:
        """Share of the positive that are found."""
        return self.true_positives / (self.true_positives + self.false_negatives)

    @property
    def specificity(self) -> float:
        """Share of the negative that are left alone."""
        return self.true_negatives / (self.true_negatives + self.false_positives)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold, and what it gives on the data it was chosen on."""

    threshold: float
    sensitivity: float
    specificity: float


def auc(labels: Labels, scores: Values) -> float:
    """The area under the ROC curve."""
    return float(roc_auc_score(labels, scores))


def operating_point(labels: Labels, scores: Values, specificity: float) -> OperatingPoint:
    """The most sensitive point of the ROC curve at this specificity or above; of equal ones, the most specific."""
    false_positive_rates, sensitivities, thresholds = roc_curve(
        labels, scores, drop_intermediate=False
    )
    # Where nothing is positive scikit-learn says infinity; the next number above the highest score does the same.
    thresholds[0] = np.nextafter(scores.max(), np.inf)
    allowed = np.flatnonzero(1 - false_positive_rates >= specificity - 1e-9)
    best = allowed[np.argmax(sensitivities[allowed])]
    return OperatingPoint(
        float(thresholds[best]), float(sensitivities[best]), float(1 - false_positive_rates[best])
    )


def confusion(labels: Labels, scores: Values, threshold: float) -> Confusion:
    """Decisions against labels; a score at the threshold is positive."""
    positive, cancer = scores >= threshold, labels == 1
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
    """The figure and its percentile bootstrap interval, with whole patients drawn.

    Images of one patient are not independent: drawing single ones would make the interval too narrow. Draws that
    miss a class are left out. Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13.
    """
    rng = np.random.default_rng(BOOTSTRAP_SEED)
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


def aggregate(
    groups: Sequence[Group], labels: Labels, scores: Values
) -> tuple[list[Group], Labels, Values]:
    """Groups in order of appearance, each with its highest label and its mean score.

    The mean, not the highest, of a breast's views: a highest score grows with the number of views.
    """
    members: dict[Group, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    highest = np.array([labels[indices].max() for indices in members.values()], dtype=np.int32)
    means = np.array([scores[indices].mean() for indices in members.values()])
    return list(members), highest, means
