import dataclasses

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from training.evaluation.operating_points import (
    Target,
    TargetKind,
    choose_threshold,
    population_weights,
)
from training.evaluation.statistics import Labels, Values, confusion

LABELS = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1], dtype=np.int32)
SCORES = np.array([0.1, 0.2, 0.3, 0.4, 0.7, 0.35, 0.6, 0.8, 0.9])


def cases(seed: int) -> tuple[Labels, Values]:
    """Return labels and scores with many ties."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(80) < 0.3).astype(np.int32)
    return labels, np.round(rng.normal(size=80) + labels, 1)


@pytest.mark.parametrize(
    ("kind", "value", "threshold"),
    [
        ("specificity", 0.8, 0.6),  # one of five is above 0.6, and three of four cancers are
        ("specificity", 1.0, 0.8),
        ("specificity", 0.4, 0.35),  # all cancers, and two of five: 0.2 and 0.3 add nothing
        ("sensitivity", 0.75, 0.6),
        ("sensitivity", 0.5, 0.8),
        ("sensitivity", 0.9, 0.35),
        ("recall", 2 / 9, 0.8),
        ("recall", 3 / 9, 0.8),  # the third is healthy
        ("recall", 4 / 9, 0.6),
        ("recall", 1.0, 0.35),
    ],
)
def test_threshold_equals_hand_worked_case(
    kind: TargetKind, value: float, threshold: float
) -> None:
    assert choose_threshold(Target(kind, value), LABELS, SCORES) == threshold


@pytest.mark.parametrize("value", [0.5, 0.8, 0.9, 0.99])
def test_specificity_agrees_with_the_roc_curve(value: float) -> None:
    for seed in range(10):
        labels, scores = cases(seed)

        threshold = choose_threshold(Target("specificity", value), labels, scores)

        # scikit-learn's first threshold stands for no positive decision.
        alarms, sensitivities, thresholds = roc_curve(labels, scores, drop_intermediate=False)
        allowed = np.flatnonzero(1 - alarms[1:] >= value) + 1
        best = allowed[np.argmax(sensitivities[allowed])] if len(allowed) else 0
        assert (threshold == thresholds[best]) or (best == 0 and threshold > scores.max())


@pytest.mark.parametrize("kind", ["specificity", "sensitivity", "recall"])
@pytest.mark.parametrize("value", [0.05, 0.3, 0.7, 0.95])
def test_no_other_threshold_is_better(kind: TargetKind, value: float) -> None:
    for seed in range(5):
        labels, scores = cases(seed)
        weights = population_weights(labels, 0.05)

        chosen = choose_threshold(Target(kind, value), labels, scores, weights)

        rates = {}
        for threshold in [*np.unique(scores), np.inf, chosen]:
            counts = confusion(labels, scores, threshold)
            recall = 0.05 * counts.sensitivity + 0.95 * (1 - counts.specificity)
            kept = {
                "specificity": counts.specificity >= value,
                "sensitivity": counts.sensitivity >= value,
                "recall": recall <= value + 1e-9,
            }[kind]
            if kept:
                pair = (counts.sensitivity, counts.specificity)
                rates[threshold] = pair[::-1] if kind == "sensitivity" else pair
        assert rates[chosen] == max(rates.values())


def test_population_weights_give_cancers_their_share() -> None:
    weights = population_weights(LABELS, 0.02)

    assert weights.sum() == pytest.approx(9)
    assert weights[LABELS == 1].sum() == pytest.approx(0.02 * 9)
    assert len(set(weights[LABELS == 0])) == 1


def test_recall_is_that_of_the_population() -> None:
    # Two of four cancers and none of the healthy are 1 % of a population with 2 % cancers.
    weights = population_weights(LABELS, 0.02)

    tight = choose_threshold(Target("recall", 0.01), LABELS, SCORES, weights)
    loose = choose_threshold(Target("recall", 0.25), LABELS, SCORES, weights)

    assert tight == 0.8
    # Three cancers and one of five healthy: 0.015 + 0.196.
    assert loose == 0.6


@pytest.mark.parametrize(
    ("kind", "label", "ends"),
    [
        ("sensitivity", 0, "all"),
        ("sensitivity", 1, "all"),
        ("specificity", 0, "none"),
        ("specificity", 1, "none"),
        ("recall", 0, "none"),
    ],
)
def test_one_class_gives_an_end(kind: TargetKind, label: int, ends: str) -> None:
    labels = np.full(4, label, np.int32)
    scores = np.array([0.2, 0.4, 0.6, 0.8])

    threshold = choose_threshold(
        Target(kind, 0.5), labels, scores, population_weights(labels, 0.02)
    )

    assert np.isfinite(threshold)
    assert (scores >= threshold).all() == (ends == "all")
    assert (scores < threshold).all() == (ends == "none")


def test_tie_is_positive_as_a_whole_or_not_at_all() -> None:
    labels = np.array([1, 1, 0, 0, 0, 0], np.int32)
    scores = np.array([0.9, 0.5, 0.5, 0.5, 0.1, 0.1])

    threshold = choose_threshold(Target("recall", 0.5), labels, scores)

    assert threshold == 0.9


def test_target_cannot_be_changed() -> None:
    target = Target("recall", 0.1)

    with pytest.raises(dataclasses.FrozenInstanceError):
        target.value = 0.2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target("specificity", 0.9), "a specificity of at least 90 %"),
        (Target("sensitivity", 0.875), "a sensitivity of at least 87.5 %"),
        (Target("recall", 0.1), "at most 10 % of all cases"),
    ],
)
def test_target_says_its_rule(target: Target, words: str) -> None:
    assert words in target.sentence
