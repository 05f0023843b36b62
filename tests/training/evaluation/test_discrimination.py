from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

from training.evaluation.discrimination import (
    area,
    auc_within,
    average_precision,
    best_f1,
    predictive_value_at,
    probabilistic_f1,
    ranking_figures,
    recall_at,
    sensitivity_at,
    sensitivity_at_recall,
    sensitivity_at_specificity,
    specificity_at,
    threshold_figures,
)
from training.evaluation.resampling import Draws, Figure, draw_weights, measure, tabulate
from training.evaluation.statistics import Interval, Labels, Values

Oracle = Callable[[Labels, Values], float]


def cases(seed: int, prevalence: float = 0.2) -> tuple[Labels, Values]:
    """Return labels and probabilities with many ties."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(200) < prevalence).astype(np.int32)
    return labels, np.round(rng.beta(2 + labels, 4), 2)


def pf1(labels: Labels, scores: Values) -> float:
    """Probabilistic F1 as the challenge defines it: from the sums of probabilities."""
    hits = sum(score for label, score in zip(labels, scores, strict=True) if label)
    alarms = sum(score for label, score in zip(labels, scores, strict=True) if not label)
    precision = hits / (hits + alarms)
    recall = hits / labels.sum()
    return float(2 * precision * recall / (precision + recall))


def highest_f1(labels: Labels, scores: Values) -> float:
    return float(max(f1_score(labels, scores >= threshold) for threshold in np.unique(scores)))


def highest_sensitivity(labels: Labels, scores: Values) -> float:
    """The highest sensitivity at a specificity of at least 90 %."""
    alarms, sensitivities, _ = roc_curve(labels, scores, drop_intermediate=False)
    return float(sensitivities[1 - alarms >= 0.9 - 1e-9].max())


ORACLES: dict[str, tuple[Figure, Oracle]] = {
    "auc": (area, roc_auc_score),
    "average_precision": (average_precision, average_precision_score),
    "pf1": (probabilistic_f1, pf1),
    "best_f1": (best_f1, highest_f1),
    "at_specificity": (
        sensitivity_at_specificity(0.9),
        highest_sensitivity,
    ),
    "sensitivity": (
        sensitivity_at(0.4),
        lambda labels, scores: recall_score(labels, scores >= 0.4),
    ),
    "specificity": (
        specificity_at(0.4),
        lambda labels, scores: recall_score(labels, scores >= 0.4, pos_label=0),
    ),
    "ppv": (
        predictive_value_at(0.4),
        lambda labels, scores: precision_score(labels, scores >= 0.4),
    ),
    "recall": (recall_at(0.4), lambda _, scores: float((scores >= 0.4).mean())),
}


@pytest.mark.parametrize("name", ORACLES)
def test_figure_equals_its_oracle(name: str) -> None:
    figure, oracle = ORACLES[name]

    for seed in range(5):
        labels, scores = cases(seed)
        assert measure(figure, labels, scores) == pytest.approx(oracle(labels, scores))


@pytest.mark.parametrize("name", ORACLES)
def test_weights_count_as_repeated_cases(name: str) -> None:
    figure, oracle = ORACLES[name]
    labels, scores = cases(7)
    weights = np.random.default_rng(8).integers(0, 4, size=(3, 200))

    values = figure(tabulate(labels, scores, weights.astype(np.float64)))

    for value, counts in zip(values, weights, strict=True):
        repeated = np.repeat(np.arange(200), counts)
        assert value == pytest.approx(oracle(labels[repeated], scores[repeated]))


@pytest.mark.parametrize("recall", [0.02, 0.05, 0.10, 0.5])
def test_sensitivity_at_recall_searches_all_thresholds(recall: float) -> None:
    labels, scores = cases(3)
    allowed = [t for t in np.unique(scores) if (scores >= t).mean() <= recall + 1e-9]

    value = measure(sensitivity_at_recall(recall), labels, scores)

    assert value == pytest.approx(
        max((recall_score(labels, scores >= threshold) for threshold in allowed), default=0)
    )


def test_recall_of_a_population_weighs_both_classes() -> None:
    # Half of the cancers and a tenth of the healthy: 2 % of 1/2 and 98 % of 1/10.
    labels = np.array([1] * 4 + [0] * 10, np.int32)
    scores = np.array([1, 1, 0, 0, 1] + [0] * 9, np.float64)

    recall = measure(recall_at(0.5, prevalence=0.02), labels, scores)
    ppv = measure(predictive_value_at(0.5, prevalence=0.02), labels, scores)

    assert recall == pytest.approx(0.01 + 0.098)
    assert ppv == pytest.approx(0.01 / 0.108)
    assert measure(sensitivity_at_recall(0.108, 0.02), labels, scores) == 0.5
    assert measure(sensitivity_at_recall(0.107, 0.02), labels, scores) == 0
    # At the cases' own prevalence these decisions recall 3 of 14.
    assert measure(recall_at(0.5), labels, scores) == pytest.approx(3 / 14)


def test_pf1_of_decisions_is_their_f1() -> None:
    labels, scores = cases(2)
    decisions = (scores >= 0.4).astype(np.float64)

    assert measure(probabilistic_f1, labels, decisions) == pytest.approx(
        f1_score(labels, decisions)
    )


@pytest.mark.parametrize(
    ("label", "defined"),
    [
        (0, {"specificity", "recall", "ppv"}),
        (1, {"average_precision", "pf1", "best_f1", "sensitivity", "recall", "ppv"}),
    ],
)
def test_one_class_defines_what_it_can(label: int, defined: set[str]) -> None:
    labels = np.full(5, label, np.int32)
    scores = np.linspace(0.1, 0.9, 5)
    figures = {**ranking_figures(), **threshold_figures(0.5)}

    values = {name: measure(figure, labels, scores) for name, figure in figures.items()}

    named = {name for name, value in values.items() if value is not None}
    assert {name for name in named if not name.endswith("_recall")} == defined


def test_threshold_above_all_scores_calls_nothing() -> None:
    labels, scores = cases(1)

    values = {
        name: measure(figure, labels, scores) for name, figure in threshold_figures(2.0).items()
    }

    assert values == {"sensitivity": 0, "specificity": 1, "ppv": None, "recall": 0}


def test_points_are_those_of_the_roc_curve() -> None:
    labels, scores = cases(4)

    draws: Draws = tabulate(labels, scores, np.ones((1, 200)))

    rates = roc_curve(labels, scores, drop_intermediate=False)
    assert draws.false_positives[0] / draws.negatives == pytest.approx(rates[0][1:])
    assert draws.true_positives[0] / draws.positives == pytest.approx(rates[1][1:])
    assert draws.thresholds == pytest.approx(rates[2][1:])


def test_auc_within_counts_pairs_of_one_group() -> None:
    labels, scores = cases(5)
    groups = np.random.default_rng(6).choice(list("abcde"), size=200, p=[0.5, 0.3, 0.1, 0.05, 0.05])
    pairs = [
        (scores[i] > scores[j]) + (scores[i] == scores[j]) / 2
        for i in range(200)
        for j in range(200)
        if labels[i] == 1 and labels[j] == 0 and groups[i] == groups[j]
    ]

    within = auc_within(labels, scores, groups.tolist(), [str(i) for i in range(200)])

    assert within is not None
    assert within.value == pytest.approx(np.mean(pairs))


def test_auc_within_is_blind_to_the_group() -> None:
    """The score is the group alone, and most cancers are in one group."""
    labels = np.array([1] * 8 + [0] * 2 + [1] * 2 + [0] * 8, np.int32)
    groups = ["new"] * 10 + ["old"] * 10
    scores = np.array([0.9] * 10 + [0.1] * 10)

    assert measure(area, labels, scores) == pytest.approx(0.8)
    within = auc_within(labels, scores, groups, [str(i) for i in range(20)])
    assert within == Interval(0.5, 0.5, 0.5)


def test_auc_within_needs_a_group_of_both_classes() -> None:
    labels = np.array([1, 1, 0], np.int32)

    assert auc_within(labels, np.arange(3.0), ["a", "a", "b"], ["p", "q", "r"]) is None


def test_interval_within_groups_draws_whole_patients() -> None:
    """The oracle counts pairs, each as often as a draw has both of its cases."""
    rng = np.random.default_rng(7)
    labels, scores = cases(8)
    groups = rng.choice(list("abc"), size=200)
    patients = [str(index // 4) for index in range(200)]

    within = auc_within(labels, scores, groups.tolist(), patients)

    cancers, healthy = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    same = groups[cancers, None] == groups[healthy]
    ordered = (np.sign(scores[cancers, None] - scores[healthy]) + 1) / 2
    weights = np.concatenate(list(draw_weights(patients)))[1:]
    pairs = [(row[cancers, None] * row[healthy] * same) for row in weights]
    values = [(pair * ordered).sum() / pair.sum() for pair in pairs]
    assert len(values) == 1000
    assert within is not None
    assert (within.low, within.high) == pytest.approx(np.percentile(values, (2.5, 97.5)))
