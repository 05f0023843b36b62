"""Figures of how well scores tell cases with cancer from the rest, over many draws at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.evaluation.resampling import Draws, Figure, draw_weights, percentiles, tabulate
from training.evaluation.statistics import Group, Interval, Labels, Values

SPECIFICITIES = (0.8, 0.9, 0.95)
RECALLS = (0.02, 0.05, 0.10)
DECIDED = 0.5
"""Threshold on decisions, which are 0 or 1."""
ROUNDING = 1e-9
"""Tolerance that accepts a target that is missed by rounding."""


def ranking_figures(prevalence: float | None = None) -> dict[str, Figure]:
    """Return the figures that need no threshold, by name.

    `prevalence`: share of cancers of the population in which cases are recalled. None is that of
    the cases themselves.
    """
    return {
        "auc": area,
        "average_precision": average_precision,
        "pf1": probabilistic_f1,
        "best_f1": best_f1,
        **{
            f"sensitivity_at_{100 * value:g}_specificity": sensitivity_at_specificity(value)
            for value in SPECIFICITIES
        },
        **{
            f"sensitivity_at_{100 * value:g}_recall": sensitivity_at_recall(value, prevalence)
            for value in RECALLS
        },
    }


def threshold_figures(threshold: float, prevalence: float | None = None) -> dict[str, Figure]:
    """Return the figures of decisions at a threshold, by name; see `ranking_figures`."""
    return {
        "sensitivity": sensitivity_at(threshold),
        "specificity": specificity_at(threshold),
        "ppv": predictive_value_at(threshold, prevalence),
        "recall": recall_at(threshold, prevalence),
    }


def area(draws: Draws) -> Values:
    """Return the area under the ROC curve."""
    return _ratio(_ordered_pairs(draws), draws.positives * draws.negatives)


def average_precision(draws: Draws) -> Values:
    """Return the area under the curve of precision over sensitivity, in steps."""
    called = draws.true_positives + draws.false_positives
    precision = draws.true_positives / np.maximum(called, 1)
    cancers = np.diff(draws.true_positives, axis=1, prepend=0)

    return _ratio((cancers * precision).sum(axis=1), draws.positives)


def probabilistic_f1(draws: Draws) -> Values:
    """Return the probabilistic F1 of the RSNA 2022 challenge. Scores are probabilities.

    Yacouby and Axman, "Probabilistic Extension of Precision, Recall, and F1 Score", Eval4NLP 2020.
    Of probabilities p and labels y it is 2 sum(p y) / (sum(p) + sum(y)).
    """
    hits = draws.weights @ (draws.scores * draws.labels)
    named = draws.weights @ draws.scores

    return _ratio(np.where(draws.positives > 0, 2 * hits, np.nan), named + draws.positives)


def best_f1(draws: Draws) -> Values:
    """Return the highest F1 of all thresholds: the pF1 of the best decisions of 0 and 1."""
    called = draws.true_positives + draws.false_positives
    best = (2 * draws.true_positives / (called + np.maximum(draws.positives, 1)[:, None])).max(1)

    return np.where(draws.positives > 0, best, np.nan)


def sensitivity_at_specificity(specificity: float) -> Figure:
    """Return the figure of the highest sensitivity with at least this specificity."""

    def figure(draws: Draws) -> Values:
        rates = draws.false_positives / np.maximum(draws.negatives, 1)[:, None]
        return _highest_sensitivity(draws, 1 - rates >= specificity - ROUNDING)

    return figure


def sensitivity_at_recall(recall: float, prevalence: float | None = None) -> Figure:
    """Return the figure of the highest sensitivity with at most this share called positive."""

    def figure(draws: Draws) -> Values:
        called = _recall(draws, draws.true_positives, draws.false_positives, prevalence)
        return _highest_sensitivity(draws, called <= recall + ROUNDING)

    return figure


def sensitivity_at(threshold: float) -> Figure:
    """Return the figure of the share of cancers at or above a threshold."""
    return lambda draws: _ratio(_called(draws, threshold)[0][:, 0], draws.positives)


def specificity_at(threshold: float) -> Figure:
    """Return the figure of the share of healthy cases below a threshold."""
    return lambda draws: 1 - _ratio(_called(draws, threshold)[1][:, 0], draws.negatives)


def recall_at(threshold: float, prevalence: float | None = None) -> Figure:
    """Return the figure of the share of all cases at or above a threshold."""
    return lambda draws: _recall(draws, *_called(draws, threshold), prevalence)[:, 0]


def predictive_value_at(threshold: float, prevalence: float | None = None) -> Figure:
    """Return the figure of the share of cancers among the cases at or above a threshold."""

    def figure(draws: Draws) -> Values:
        hits, alarms = _called(draws, threshold)
        nothing = np.zeros_like(alarms)
        cancers = _recall(draws, hits, nothing, prevalence)[:, 0]
        return _ratio(cancers, _recall(draws, hits, alarms, prevalence)[:, 0])

    return figure


def auc_within(
    labels: Labels, scores: Values, groups: Sequence[Group], patients: Sequence[str]
) -> Interval | None:
    """Return the share of rightly ordered pairs of a cancer and a healthy case of one group.

    A network that has learnt the machine, and no more, is at 0.5 within each machine. The interval
    is drawn by patient. The result is None if no group has both classes.
    """
    return percentiles(drawn_auc_within(labels, scores, groups, patients))


def drawn_auc_within(
    labels: Labels, scores: Values, groups: Sequence[Group], patients: Sequence[str]
) -> Values:
    """Return `auc_within` of the data themselves, then that of each draw of patients.

    The draws are those of `draw_weights`: values of other scores of the same cases can be
    subtracted draw by draw. A value is not a number where no group has both classes.
    """
    members: dict[Group, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)

    both = [rows for rows in members.values() if len(set(labels[rows].tolist())) > 1]
    values = []
    for weights in draw_weights(patients):
        ordered = np.zeros(len(weights))
        pairs = np.zeros(len(weights))
        for rows in both:
            one = tabulate(labels[rows], scores[rows], weights[:, rows])
            ordered += _ordered_pairs(one)
            pairs += one.positives * one.negatives

        values.append(_ratio(ordered, pairs))

    return np.concatenate(values)


def _ordered_pairs(draws: Draws) -> Values:
    """Return the pairs of a cancer and a healthy case in which the cancer has the higher score.

    A pair with equal scores counts half.
    """
    healthy = np.diff(draws.false_positives, axis=1, prepend=0)
    cancers = np.diff(draws.true_positives, axis=1, prepend=0)

    # Cancers above each healthy case, and half of those beside it.
    return np.asarray((healthy * (draws.true_positives - cancers / 2)).sum(axis=1))


def _called(draws: Draws, threshold: float) -> tuple[Values, Values]:
    """Return the cases with and without cancer at or above a threshold, both [D, 1]."""
    count = int((draws.thresholds >= threshold).sum())
    if not count:
        nothing = np.zeros((len(draws.weights), 1))
        return nothing, nothing

    return draws.true_positives[:, [count - 1]], draws.false_positives[:, [count - 1]]


def _recall(draws: Draws, hits: Values, alarms: Values, prevalence: float | None) -> Values:
    """Return the share of all cases that is called, from counts [D, T] of both classes."""
    positives = draws.positives[:, None]
    negatives = draws.negatives[:, None]
    if prevalence is None:
        return np.asarray((hits + alarms) / (positives + negatives))

    rates = _ratio(hits, positives), _ratio(alarms, negatives)
    return np.asarray(prevalence * rates[0] + (1 - prevalence) * rates[1])


def _highest_sensitivity(draws: Draws, allowed: NDArray[np.bool_]) -> Values:
    """Return the highest sensitivity of the allowed points [D, T], 0 if none is allowed."""
    highest = (draws.true_positives * allowed).max(axis=1)
    return _ratio(np.where(draws.negatives > 0, highest, np.nan), draws.positives)


def _ratio(part: Values, whole: Values) -> Values:
    """Return part / whole, not a number where the whole is 0."""
    undefined = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    return np.asarray(np.divide(part, whole, out=undefined, where=whole > 0))
