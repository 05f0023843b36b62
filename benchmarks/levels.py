"""Decisions about images, breasts and exams: rules side by side, and thresholds on unseen exams.

    python -m benchmarks.levels rules RUN
    python -m benchmarks.levels unseen EXPERIMENT [--bundle models/demo/1]

`rules` reads the predictions that `evaluate` or `cross-validate` kept in a run, and compares rules
from views to breasts and from breasts to exams with the one that is served. `unseen` sends every
image of an experiment's table through the pipeline, and tells sensitivity and specificity at the
bundle's thresholds, with intervals by patient.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.special import expit, logit
from tqdm import tqdm

from service import pipeline
from service.imaging import read
from service.model import Bundle, Level
from service.observability.stopwatch import Stopwatch
from training.config_files import load_image_source
from training.data.table import Record, load_records
from training.evaluation.cases import Cases, Indices, gather, group
from training.evaluation.discrimination import area, sensitivity_at_specificity
from training.evaluation.measure import decided_cases, decision_figures, partial_decisions
from training.evaluation.predictions import Predictions, read_predictions
from training.evaluation.resampling import measure, paired_difference
from training.evaluation.statistics import Interval, Values
from training.fit.run import Run

Rule = Callable[[Values], float]
"""Combines probabilities."""


def mean_margin(probabilities: Values) -> float:
    """Return the probability of the mean log-odds."""
    return float(expit(logit(probabilities.clip(1e-12, 1 - 1e-12)).mean()))


def any_of(probabilities: Values) -> float:
    """Return the probability that at least one is true, if they were independent."""
    return float(1 - np.prod(1 - probabilities))


BREAST_RULES: Mapping[str, Rule] = {
    "mean": lambda values: float(values.mean()),
    "mean margin": mean_margin,
    "highest": lambda values: float(values.max()),
    "any": any_of,
}
EXAM_RULES: Mapping[str, Rule] = {
    "highest": BREAST_RULES["highest"],
    "mean": BREAST_RULES["mean"],
    "any": any_of,
}
SERVED = ("mean", "highest")
FIGURES = {"AUC": area, "sensitivity at 90 %": sensitivity_at_specificity(0.9)}


def main() -> None:
    """Print the tables of one command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, dest="command")
    rules = commands.add_parser("rules", help="compare rules on the predictions of a run")
    rules.add_argument("run", type=Path)
    unseen = commands.add_parser("unseen", help="measure a bundle's thresholds on unseen exams")
    unseen.add_argument("experiment", type=Path, help="TOML file with the table and the images")
    unseen.add_argument("--bundle", type=Path, default=Path("models/demo/1"))
    options = parser.parse_args()

    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")
    if options.command == "rules":
        compare_rules(Run(options.run))
    else:
        measure_unseen(options.bundle, options.experiment)


def compare_rules(run: Run) -> None:
    """Print each rule's figures, and its difference from the served rule.

    Exams are compared among those with both breasts. Where only some exams have both, as in a
    case-control set, the number of breasts would give the label away to a rule.
    """
    records = load_records(run.experiment())
    predictions = read_predictions(run.predictions(Level.IMAGE), records)

    print("\nbreasts, from their views")
    views = group(Level.BREAST, predictions.records)
    scores = {
        name: np.array([rule(predictions.probabilities[indices]) for indices in views])
        for name, rule in BREAST_RULES.items()
    }
    _print_rules(_cases(Level.BREAST, predictions, views), scores, SERVED[0])

    print("\nexams with both breasts, from their breasts (rule of breasts / rule of exams)")
    exams = [
        indices
        for indices in group(Level.EXAM, predictions.records)
        if len({predictions.records[index].laterality for index in indices}) == len("LR")
    ]
    scores = {
        f"{breast} / {exam}": _exams(predictions, exams, BREAST_RULES[breast], EXAM_RULES[exam])
        for breast in BREAST_RULES
        for exam in EXAM_RULES
    }
    _print_rules(_cases(Level.EXAM, predictions, exams), scores, " / ".join(SERVED))


def measure_unseen(bundle: Path, experiment: Path) -> None:
    """Print the shares at the thresholds of a bundle, by level and by number of views."""
    model = Bundle.load(bundle)
    levels = model.manifest.levels
    if levels is None:
        raise SystemExit(f"{bundle} has no thresholds of breasts and exams: export it again.")

    records = load_records(load_image_source(experiment))
    probabilities = predict(model, records)
    predictions = Predictions(records, logit(probabilities), probabilities, probabilities)

    patients = len({record.patient_id for record in records})
    print(f"\n{patients} patients, {len(records)} images")
    print(f"{'cases':<22}{'number':>8}{'cancers':>9}{'sensitivity':>26}{'specificity':>26}")
    for level, facts in levels.by_level().items():
        _print_shares(f"{level}, all views", decided_cases(level, predictions, lambda _: levels))
        for views, cases in partial_decisions(level, predictions, lambda _: levels).items():
            if views in facts.by_views:
                _print_shares(f"{level}, {views} views", cases)


def predict(model: Bundle, records: Sequence[Record]) -> Values:
    """Return the probability of cancer of each image, as the service answers it."""
    name = model.manifest.positive_class
    answers = (
        pipeline.predict(model, read, record.image.read_bytes(), Stopwatch())
        for record in tqdm(records, unit="image", leave=False)
    )
    return np.array([answer.probabilities[name] for answer in answers], np.float64)


def _cases(level: Level, predictions: Predictions, groups: Sequence[Indices]) -> Cases:
    return gather(level, predictions.records, predictions.probabilities, groups)


def _exams(
    predictions: Predictions, exams: Sequence[Indices], of_breast: Rule, of_exam: Rule
) -> Values:
    """Return the score of each exam by a rule from views to breasts, and one to the exam."""
    scores = []
    for indices in exams:
        records = [predictions.records[index] for index in indices]
        probabilities = predictions.probabilities[indices]
        breasts = [of_breast(probabilities[views]) for views in group(Level.BREAST, records)]
        scores.append(of_exam(np.array(breasts)))

    return np.array(scores)


def _print_rules(cases: Cases, scores: Mapping[str, Values], served: str) -> None:
    """Print each rule's figures and its difference from the served rule, with intervals."""
    print(f"{len(cases)} cases, {int(cases.labels.sum())} with cancer")
    for name, values in scores.items():
        cells = []
        for label, figure in FIGURES.items():
            value = measure(figure, cases.labels, values)
            difference = paired_difference(
                figure, cases.labels, values, scores[served], cases.patients
            )
            cells.append(f"{label} {value:.4f}, difference {_interval(difference)}")
        print(f"{name:<22}{'   '.join(cells)}{'   (served)' if name == served else ''}")


def _print_shares(name: str, cases: Cases) -> None:
    shares = decision_figures(cases)
    print(
        f"{name:<22}{len(cases):>8}{int(cases.labels.sum()):>9}"
        f"{_interval(shares.get('sensitivity')):>26}{_interval(shares.get('specificity')):>26}"
    )


def _interval(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    return f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"


if __name__ == "__main__":
    main()
