"""Thresholds for a target: what a decision must reach on the cases that it is chosen on."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from training.evaluation.discrimination import ROUNDING
from training.evaluation.resampling import tabulate
from training.evaluation.statistics import Labels, Values

TargetKind = Literal["specificity", "sensitivity", "recall"]


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on the decisions: at least this specificity or sensitivity, or at most this recall.

    `recall`: share of all cases that are decided positive. `value`: from 0 to 1.
    """

    kind: TargetKind
    value: float

    @property
    def sentence(self) -> str:
        """The rule in words, without the cases that it is applied to."""
        percent = f"{100 * self.value:.4g} %"
        return {
            "specificity": f"Highest sensitivity at a specificity of at least {percent}",
            "sensitivity": f"Highest specificity at a sensitivity of at least {percent}",
            "recall": f"Highest sensitivity where at most {percent} of all cases are positive",
        }[self.kind]


def choose_threshold(
    target: Target, labels: Labels, scores: Values, weights: Values | None = None
) -> float:
    """Return the threshold of the best decisions that keep to the target.

    A score at the threshold is positive. `weights` [N]: how many cases each case stands for, see
    `population_weights`. Without them every case counts once.

    Of equally good thresholds it is the one with fewer false alarms or, for a sensitivity, with
    more cancers. A target that no threshold keeps gives the end that is nearest to it: all cases
    positive for a sensitivity, none for the others. That happens where a class has no case.
    """
    thresholds, sensitivities, alarm_rates, recalls = _points(labels, scores, weights)
    allowed = {
        "specificity": 1 - alarm_rates >= target.value - ROUNDING,
        "sensitivity": sensitivities >= target.value - ROUNDING,
        "recall": recalls <= target.value + ROUNDING,
    }[target.kind]
    if not allowed.any():
        return float(thresholds[-1] if target.kind == "sensitivity" else thresholds[0])

    if target.kind == "sensitivity":
        lowest = alarm_rates[allowed].min()
        best = np.flatnonzero(allowed & (alarm_rates == lowest))[-1]
    else:
        highest = sensitivities[allowed].max()
        best = np.flatnonzero(allowed & (sensitivities == highest))[0]

    return float(thresholds[best])


def population_weights(labels: Labels, prevalence: float) -> Values:
    """Return weights that sum to the number of cases and give cancers this share of it.

    Without a case of one class the others keep their own share, and the sum is smaller.
    """
    count = len(labels)
    cancers = int((labels == 1).sum())

    per_cancer = prevalence * count / max(cancers, 1)
    per_healthy = (1 - prevalence) * count / max(count - cancers, 1)
    return np.where(labels == 1, per_cancer, per_healthy)


def _points(
    labels: Labels, scores: Values, weights: Values | None
) -> tuple[Values, Values, Values, Values]:
    """Return threshold, sensitivity, false alarm rate and recall, from no positive case to all.

    Without a case with cancer the sensitivity is 0, and without another the false alarm rate is 1.
    """
    draws = tabulate(
        labels, scores, np.ones((1, len(labels))) if weights is None else weights[None]
    )
    hits = np.append(0, draws.true_positives[0])
    alarms = np.append(0, draws.false_positives[0])

    # No case is positive at the next number above the highest score.
    thresholds = np.append(np.nextafter(draws.thresholds[0], np.inf), draws.thresholds)
    sensitivities = hits / hits[-1] if hits[-1] else np.zeros_like(hits)
    alarm_rates = alarms / alarms[-1] if alarms[-1] else np.ones_like(alarms)
    return thresholds, sensitivities, alarm_rates, (hits + alarms) / (hits[-1] + alarms[-1])
