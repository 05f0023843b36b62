from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from service.model import Level, Levels
from tests.support.views import complete_exam
from training.data.table import Record
from training.evaluation.choice import Population, choose_levels
from training.evaluation.measure import measure_calibration, measure_levels
from training.evaluation.predictions import Predictions
from training.evaluation.reliability import reliability
from training.evaluation.statistics import Values
from training.evaluation_config import Targets

PATIENTS = 40
POPULATION = Population(0.125, 0.05)


def predictions_of(records: list[Record], seed: int = 0) -> Predictions:
    """Return predictions that know something of the cancers."""
    rng = np.random.default_rng(seed)
    labels = np.array([record.cancer for record in records])
    margins = rng.normal(1.2 * labels, 1)
    probabilities = np.round(1 / (1 + np.exp(-margins)), 2)
    return Predictions(tuple(records), margins, probabilities, probabilities)


@pytest.fixture(scope="module")
def predictions() -> Predictions:
    """Complete exams. Every fourth woman has a cancer on the left."""
    return predictions_of(
        [
            record
            for patient in range(PATIENTS)
            for record in complete_exam(f"p{patient}", cancers="L" if patient % 4 == 0 else "")
        ]
    )


@pytest.fixture(scope="module")
def chosen(predictions: Predictions) -> Levels:
    return choose_levels(predictions.records, predictions.probabilities, Targets(), POPULATION)


@pytest.fixture(scope="module")
def lower(chosen: Levels) -> Levels:
    """The thresholds of another round, which are lower."""
    return Levels(
        **{
            level.value: facts.model_copy(
                update={
                    "threshold": facts.threshold - 0.2,
                    "by_views": {
                        views: some.model_copy(update={"threshold": some.threshold - 0.1})
                        for views, some in facts.by_views.items()
                    },
                }
            )
            for level, facts in chosen.by_level().items()
        }
    )


def exam_probability(values: Values, rows: tuple[int, ...]) -> float:
    """Return the higher mean of the left (rows 0 and 1) and the right breast (2 and 3)."""
    sides = [[values[row] for row in rows if row // 2 == side] for side in (0, 1)]
    return max(float(np.mean(side)) for side in sides if side)


def test_shares_equal_those_counted_by_hand(
    predictions: Predictions, chosen: Levels, lower: Levels
) -> None:
    """The first twenty women are decided by the thresholds of another round."""
    rounds = {f"p{patient}": lower if patient < 20 else chosen for patient in range(PATIENTS)}

    measured = measure_levels(predictions, chosen, rounds.__getitem__, POPULATION)

    by_patient = predictions.probabilities.reshape(PATIENTS, 4)
    for views in (1, 2, 3, 4):
        positive: dict[bool, list[bool]] = {True: [], False: []}
        for patient, values in enumerate(by_patient):
            threshold = rounds[f"p{patient}"].exam.by_views[views].threshold
            for rows in combinations(range(4), views):
                label = patient % 4 == 0 and min(rows) < 2
                positive[label].append(exam_probability(values, rows) >= threshold)

        facts = measured.levels.exam.by_views[views]
        assert facts.cases == len(positive[True]) + len(positive[False])
        assert facts.sensitivity is not None
        assert facts.specificity is not None
        assert facts.sensitivity.value == pytest.approx(np.mean(positive[True]))
        assert facts.specificity.value == pytest.approx(1 - np.mean(positive[False]))

    # Of all exams: those of four views, with the threshold of all.
    flags = [
        exam_probability(values, (0, 1, 2, 3)) >= rounds[f"p{patient}"].exam.threshold
        for patient, values in enumerate(by_patient)
    ]
    sensitivity = measured.levels.exam.sensitivity
    assert sensitivity is not None
    assert sensitivity.value == pytest.approx(np.mean(flags[::4]))
    assert sensitivity.low <= sensitivity.value <= sensitivity.high
    assert measured.cases[Level.EXAM].positive.tolist() == flags


def test_manifest_keeps_the_chosen_thresholds(
    predictions: Predictions, chosen: Levels, lower: Levels
) -> None:
    levels = measure_levels(predictions, chosen, lambda _: lower, POPULATION).levels

    for level, facts in levels.by_level().items():
        before = chosen.by_level()[level]
        assert (facts.threshold, facts.quantiles, facts.target) == (
            before.threshold,
            before.quantiles,
            before.target,
        )
        assert {views: some.threshold for views, some in facts.by_views.items()} == {
            views: some.threshold for views, some in before.by_views.items()
        }


def test_ranking_figures_are_those_of_scikit_learn(
    predictions: Predictions, chosen: Levels
) -> None:
    measured = measure_levels(predictions, chosen, lambda _: chosen, POPULATION)

    breasts = predictions.probabilities.reshape(2 * PATIENTS, 2).mean(axis=1)
    labels = np.array([index % 8 == 0 for index in range(2 * PATIENTS)])
    figures = measured.figures[Level.BREAST]
    assert figures["auc"].value == pytest.approx(roc_auc_score(labels, breasts))
    assert figures["average_precision"].value == pytest.approx(
        average_precision_score(labels, breasts)
    )


def test_test_part_without_complete_exams_keeps_thresholds(
    predictions: Predictions, chosen: Levels
) -> None:
    """Every woman lacks the right MLO view."""
    kept = [index for index in range(4 * PATIENTS) if index % 4 != 3]
    partial = Predictions(
        tuple(predictions.records[index] for index in kept),
        predictions.margins[kept],
        predictions.probabilities[kept],
        predictions.at_data[kept],
    )

    levels = measure_levels(partial, chosen, lambda _: chosen, POPULATION).levels

    assert set(levels.exam.by_views) == {1, 2, 3, 4}
    for views, facts in levels.exam.by_views.items():
        assert facts.threshold == chosen.exam.by_views[views].threshold
        assert (facts.cases, facts.sensitivity, facts.specificity) == (0, None, None)
    assert levels.breast.by_views[2].cases == PATIENTS
    assert levels.exam.cases == PATIENTS


@pytest.mark.parametrize(("cancers", "undefined"), [("L", "specificity"), ("", "sensitivity")])
def test_exams_of_one_class_lack_a_share(cancers: str, undefined: str, chosen: Levels) -> None:
    records = [r for patient in range(5) for r in complete_exam(f"p{patient}", cancers=cancers)]

    measured = measure_levels(predictions_of(records), chosen, lambda _: chosen, POPULATION)

    facts = measured.levels.exam
    defined = {"sensitivity", "specificity"} - {undefined}
    assert getattr(facts, undefined) is None
    assert all(getattr(facts, name) is not None for name in defined)
    assert "auc" not in measured.figures[Level.EXAM]


def test_calibration_has_intervals_around_its_figures(predictions: Predictions) -> None:
    labels = np.array([record.cancer for record in predictions.records], np.int32)

    document = measure_calibration(predictions)

    bins = reliability(labels, predictions.at_data, [r.patient_id for r in predictions.records])
    error = sum(one.count * abs(one.probability - one.observed) for one in bins) / len(labels)
    expected = {
        "expected_calibration_error": error,
        "brier": brier_score_loss(labels, predictions.at_data),
        "nll": log_loss(labels, predictions.at_data),
        "expected_to_observed": predictions.at_data.mean() / labels.mean(),
    }
    for name, value in expected.items():
        assert document[name]["value"] == pytest.approx(value)
        assert document[name]["low"] < value < document[name]["high"]
