"""Measure predictions, and write figures, predictions and plots of a run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from service.model import Level, Levels
from training.config import Experiment
from training.evaluation.choice import Population
from training.evaluation.comparison import compare, group_figures
from training.evaluation.forest import draw_floors, draw_subgroups
from training.evaluation.measure import Measured, measure_calibration, measure_levels
from training.evaluation.plots import (
    draw_confusion,
    draw_precision_recall,
    draw_reliability,
    draw_roc,
)
from training.evaluation.predictions import Predictions, write_cases, write_predictions
from training.evaluation.reliability import Bin
from training.evaluation.roc_curves import measure_curves
from training.evaluation.statistics import Interval, confusion
from training.evaluation.subgroups import Subgroup
from training.fit.run import Run, write_json, write_text
from training.introspection.own_model import Choice

DECISIONS = ("sensitivity", "specificity", "ppv", "recall")
"""Figures that depend on the threshold."""

NAMES: Mapping[Level, str] = {Level.IMAGE: "images", Level.BREAST: "breasts", Level.EXAM: "exams"}
"""Name of each level's cases in the document."""


def measure_and_write(
    run: Run,
    experiment: Experiment,
    predictions: Predictions,
    choice: Choice,
    *,
    levels_of: Callable[[str], Levels] | None = None,
    further: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Measure the predictions of test patients, and write figures, predictions and plots.

    `levels_of`: the levels whose thresholds decide about a patient, by default those of `choice`.
    `further`: figures that the document has beside these. Returns the document that is written to
    `run.evaluation`.
    """
    # An evaluation that is interrupted must not leave the figures of an earlier one.
    run.evaluation.unlink(missing_ok=True)

    counts = _counts(predictions)
    population = Population(counts["prevalence"], choice.deployment_prevalence)
    measured = measure_levels(
        predictions, choice.levels, levels_of or (lambda _patient: choice.levels), population
    )
    groups = group_figures(measured.cases[Level.IMAGE], experiment.comparison.subgroups)
    document = {
        "test": counts,
        **{NAMES[level]: _level_document(level, measured) for level in Level},
        "calibration": {
            **choice.model_dump(exclude={"levels"}),
            **measure_calibration(predictions),
        },
        **compare(predictions, measured, experiment.comparison),
        "subgroups": [asdict(one) for one in groups],
        **(further or {}),
    }

    write_predictions(run.predictions(Level.IMAGE), predictions, measured.cases[Level.IMAGE])
    for level in (Level.BREAST, Level.EXAM):
        write_cases(run.predictions(level), measured.cases[level])

    complete = choice.model_copy(update={"levels": measured.levels})
    write_text(run.operating_point, complete.model_dump_json(indent=2) + "\n")
    curves = measure_curves(measured, document["calibration"])
    write_text(run.curves, curves.model_dump_json() + "\n")
    draw_figures(run.directory, document, measured, groups)
    # The figures come last: an evaluation with them is complete.
    write_json(run.evaluation, document)

    return document


def _counts(predictions: Predictions) -> dict[str, Any]:
    records = predictions.records
    return {
        "patients": len({record.patient_id for record in records}),
        "images": len(records),
        "prevalence": sum(record.cancer for record in records) / len(records),
    }


def _level_document(level: Level, measured: Measured) -> dict[str, Any]:
    """Return the figures of a level: those of the ranking, and those of the decisions."""
    cases = measured.cases[level]
    counts = confusion(cases.labels, cases.probabilities, cases.thresholds)
    figures = {name: asdict(value) for name, value in measured.figures[level].items()}
    decisions = {name: figures.pop(name) for name in DECISIONS if name in figures}

    return {
        "count": len(cases),
        "with_cancer": int(cases.labels.sum()),
        **figures,
        "decisions": decisions,
        "at_threshold": {
            **asdict(counts),
            **{name: decisions.get(name, {}).get("value") for name in DECISIONS[:2]},
        },
    }


def draw_figures(
    directory: Path, document: Mapping[str, Any], measured: Measured, groups: Sequence[Subgroup]
) -> None:
    """Draw every plot of an evaluation."""
    image = measured.cases[Level.IMAGE]
    for name, draw, figure in (
        ("roc.png", draw_roc, "auc"),
        ("precision-recall.png", draw_precision_recall, "average_precision"),
    ):
        curves = {
            NAMES[level]: (cases.labels, cases.probabilities, measured.figures[level][figure])
            for level, cases in measured.cases.items()
            if figure in measured.figures[level]
        }
        draw(directory / name, curves)

    counts = confusion(image.labels, image.probabilities, image.thresholds)
    draw_confusion(directory / "confusion.png", counts, measured.levels.image.threshold)

    calibration = document["calibration"]
    bins = [Bin(**one) for one in calibration["reliability"]]
    error = calibration["expected_calibration_error"]["value"]
    draw_reliability(directory / "reliability.png", bins, error)

    breast_auc = measured.figures[Level.BREAST].get("auc")
    if breast_auc is not None:
        floors = {
            name: Interval(**floor["breasts"]["auc"]) for name, floor in document["floor"].items()
        }
        draw_floors(directory / "floor.png", breast_auc, floors)
    draw_subgroups(directory / "subgroups.png", measured.figures[Level.IMAGE]["auc"], groups)
