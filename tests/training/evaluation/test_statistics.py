import numpy as np
import pytest
from scipy.stats import binomtest

from training.evaluation import statistics
from training.evaluation.statistics import (
    Confusion,
    aggregate,
    auc,
    bootstrap,
    confusion,
    wilson,
)

LABELS = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1], dtype=np.int32)
SCORES = np.array([0.1, 0.2, 0.3, 0.4, 0.7, 0.35, 0.6, 0.8, 0.9])


def test_auc_is_share_of_correctly_ordered_pairs() -> None:
    pairs = [
        (cancer > healthy) for cancer in SCORES[LABELS == 1] for healthy in SCORES[LABELS == 0]
    ]

    assert auc(LABELS, SCORES) == pytest.approx(sum(pairs) / len(pairs))
    # 0.35 is below 0.4 and 0.7, and 0.6 is below 0.7: 3 of 20 pairs are wrong.
    assert sum(pairs) == 17


def test_score_at_threshold_is_positive() -> None:
    assert confusion(LABELS, SCORES, 0.6) == Confusion(
        true_positives=3, false_positives=1, true_negatives=4, false_negatives=1
    )


def test_sensitivity_and_specificity_are_shares_of_their_class() -> None:
    counts = Confusion(true_positives=3, false_positives=1, true_negatives=4, false_negatives=1)

    assert (counts.sensitivity, counts.specificity) == (0.75, 0.8)


@pytest.mark.parametrize(("hits", "cases"), [(0, 84), (84, 84), (3, 7), (1, 1)])
def test_wilson_interval_equals_that_of_scipy(hits: int, cases: int) -> None:
    expected = binomtest(hits, cases).proportion_ci(0.95, "wilson")

    interval = wilson(hits / cases, cases)

    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1


def test_breast_has_mean_score_and_highest_label() -> None:
    groups = ["a", "b", "a", "b"]

    names, labels, scores = aggregate(
        groups, np.array([0, 0, 1, 0], np.int32), np.array([0.2, 0.1, 0.6, 0.3])
    )

    assert names == ["a", "b"]
    assert labels.tolist() == [1, 0]
    assert scores == pytest.approx([0.4, 0.2])


def test_bootstrap_draws_whole_patients() -> None:
    drawn: list[np.ndarray] = []

    def record(labels: statistics.Labels, scores: statistics.Values) -> float:
        drawn.append(scores)
        return float(labels.mean())

    patients = ["p", "p", "q", "q", "r", "r"]

    bootstrap(record, np.array([0, 1] * 3, np.int32), np.arange(6.0), patients)

    assert len(drawn) == statistics.BOOTSTRAP_DRAWS + 1
    assert all(
        (scores[::2] + 1 == scores[1::2]).all() and (scores[::2] % 2 == 0).all() for scores in drawn
    )


def test_bootstrap_interval_of_mean_matches_textbook() -> None:
    # 400 independent patients, half of them positive: the standard error of the share is
    # sqrt(0.25 / 400) = 0.025.
    labels = np.array([0, 1] * 200, dtype=np.int32)

    interval = bootstrap(
        lambda drawn, _: float(drawn.mean()), labels, np.zeros(400), [str(i) for i in range(400)]
    )

    assert interval.value == 0.5
    assert interval.low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.006)
    assert interval.high == pytest.approx(0.5 + 1.96 * 0.025, abs=0.006)


def test_interval_by_patient_is_wider_than_by_image() -> None:
    """The four views of a patient have the same score."""
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(60) % 2, 4).astype(np.int32)
    scores = np.repeat(rng.normal(size=60) + np.arange(60) % 2, 4)

    by_patient = bootstrap(auc, labels, scores, [str(i // 4) for i in range(240)])
    by_image = bootstrap(auc, labels, scores, [str(i) for i in range(240)])

    assert by_patient.high - by_patient.low > 1.5 * (by_image.high - by_image.low)


def test_bootstrap_interval_is_reproducible() -> None:
    patients = [str(i) for i in range(9)]

    first = bootstrap(auc, LABELS, SCORES, patients)
    second = bootstrap(auc, LABELS, SCORES, patients)

    assert first == second
