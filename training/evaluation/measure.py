"""Measure predictions at every level of decision, and how well they are calibrated."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from service.model import Level, LevelFacts, Levels, MeasuredShare, ViewsFacts
from training.evaluation.calibration_figures import (
    CALIBRATION_FIGURES,
    calibration_line,
)
from training.evaluation.cases import Cases, gather, group
from training.evaluation.choice import Population
from training.evaluation.discrimination import DECIDED, ranking_figures, threshold_figures
from training.evaluation.partial_cases import partial_cases
from training.evaluation.predictions import Predictions
from training.evaluation.reliability import brier, nll, reliability
from training.evaluation.resampling import intervals
from training.evaluation.statistics import Interval

LevelsOf = Callable[[str], Levels]
"""Returns the levels whose thresholds hold for a patient. Rounds of a cross-validation differ."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Cases and figures of each level, and the facts of the levels for a manifest."""

    cases: Mapping[Level, Cases]
    figures: Mapping[Level, Mapping[str, Interval]]
    levels: Levels


def measure_levels(
    predictions: Predictions, chosen: Levels, levels_of: LevelsOf, population: Population
) -> Measured:
    """Measure every level on the predictions of a test part.

    `chosen`: facts whose thresholds and quantiles a manifest keeps. `levels_of`: the thresholds
    that decide here.
    """
    cases = {level: decided_cases(level, predictions, levels_of) for level in Level}
    figures = {level: level_figures(some, population.share(some)) for level, some in cases.items()}
    facts = {
        level.value: _measured_level(
            chosen.by_level()[level], cases[level], figures[level], predictions, levels_of
        )
        for level in Level
    }
    return Measured(cases, figures, Levels(**facts))


def decided_cases(level: Level, predictions: Predictions, levels_of: LevelsOf) -> Cases:
    """Return the cases of a level, each with the threshold that decides it."""
    groups = group(level, predictions.records)
    thresholds = [
        levels_of(predictions.records[indices[0]].patient_id).by_level()[level].threshold
        for indices in groups
    ]
    return gather(
        level, predictions.records, predictions.probabilities, groups, np.array(thresholds)
    )


def partial_decisions(
    level: Level, predictions: Predictions, levels_of: LevelsOf
) -> dict[int, Cases]:
    """Return the cases of which views are left out by number of views, see `partial_cases`.

    Each has the threshold that decides about its number of views.
    """
    records = predictions.records
    decisions = {}
    for views, (groups, labels) in partial_cases(level, records).items():
        thresholds = []
        for indices in groups:
            facts = levels_of(records[indices[0]].patient_id).by_level()[level]
            own = facts.by_views.get(views)
            thresholds.append(facts.threshold if own is None else own.threshold)

        decisions[views] = gather(
            level, records, predictions.probabilities, groups, np.array(thresholds), labels
        )
    return decisions


def level_figures(cases: Cases, prevalence: float) -> dict[str, Interval]:
    """Return the figures of a level with their intervals, by name.

    `prevalence`: share of cases with cancer for which recall and predictive value are told.
    """
    ranking = intervals(
        ranking_figures(prevalence), cases.labels, cases.probabilities, cases.patients
    )
    return ranking | decision_figures(cases, prevalence)


def decision_figures(cases: Cases, prevalence: float | None = None) -> dict[str, Interval]:
    """Return the figures of the decisions about cases, by name."""
    return intervals(
        threshold_figures(DECIDED, prevalence),
        cases.labels,
        cases.positive.astype(np.float64),
        cases.patients,
    )


def measure_calibration(predictions: Predictions) -> dict[str, Any]:
    """Measure how well the probabilities of single images agree with the labels.

    They are taken at the prevalence of the data. Brier score and NLL stand beside those of always
    saying the prevalence.
    """
    labels = np.array([record.cancer for record in predictions.records], np.int32)
    probabilities = predictions.at_data
    patients = [record.patient_id for record in predictions.records]

    bins = reliability(labels, probabilities, patients)
    line = calibration_line(labels, probabilities)
    figures = intervals(CALIBRATION_FIGURES, labels, probabilities, patients)
    return {
        "brier_of_constant": brier(labels, probabilities).constant,
        "nll_of_constant": nll(labels, probabilities).constant,
        **{name: asdict(interval) for name, interval in figures.items()},
        "line": None if line is None else asdict(line),
        "reliability": [asdict(one) for one in bins],
    }


def _measured_level(
    facts: LevelFacts,
    cases: Cases,
    figures: Mapping[str, Interval],
    predictions: Predictions,
    levels_of: LevelsOf,
) -> LevelFacts:
    """Return the facts of a level with what was measured.

    A threshold is kept if no case of these predictions has its number of views.
    """
    partial = partial_decisions(cases.level, predictions, levels_of)
    by_views = {}
    for views, chosen in facts.by_views.items():
        some = partial.get(views)
        by_views[views] = ViewsFacts(
            threshold=chosen.threshold,
            cases=0 if some is None else len(some),
            **_shares({} if some is None else decision_figures(some)),
        )

    return LevelFacts(
        target=facts.target,
        threshold=facts.threshold,
        quantiles=facts.quantiles,
        cases=len(cases),
        with_cancer=int(cases.labels.sum()),
        by_views=by_views,
        **_shares(figures),
    )


def _shares(figures: Mapping[str, Interval]) -> dict[str, MeasuredShare | None]:
    """Return sensitivity and specificity as facts of a manifest."""
    return {
        name: None if (interval := figures.get(name)) is None else MeasuredShare(**asdict(interval))
        for name in ("sensitivity", "specificity")
    }
