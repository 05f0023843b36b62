"""Choose calibration and thresholds on the validation part, for each level of decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from service.model import Level, LevelFacts, Levels, ViewsFacts
from service.model.level_facts import QUANTILES
from training.data.table import Record
from training.evaluation.calibration import PlattScaling, calibrate, fit_calibration
from training.evaluation.cases import Cases, gather, group
from training.evaluation.operating_points import (
    Target,
    TargetKind,
    choose_threshold,
    population_weights,
)
from training.evaluation.partial_cases import partial_cases
from training.evaluation.statistics import Values
from training.evaluation_config import Targets
from training.introspection.own_model import Choice

CASES: Mapping[Level, str] = {
    Level.IMAGE: "single images",
    Level.BREAST: "breasts",
    Level.EXAM: "exams",
}
"""Plural of each level's cases."""

NOT_KEPT = (
    "No threshold keeps to this, because probabilities are rounded to 1: these cases are positive."
)


@dataclass(frozen=True, slots=True)
class Population:
    """Share of images with cancer in the data, and where the model is used."""

    data: float
    deployment: float

    def share(self, cases: Cases) -> float:
        """Return the share of cases of a level with cancer where the model is used.

        The odds of a cancer change by the same factor at every level, because whole patients with
        cancer are rarer or more frequent there.
        """
        odds = logit(cases.labels.mean()) + logit(self.deployment) - logit(self.data)
        return float(expit(odds))


def choose(
    records: Sequence[Record], margins: Values, targets: Targets, deployment: float
) -> Choice:
    """Choose calibration and thresholds for the images of the validation part.

    `margins`: logit of cancer minus that of no cancer, of a network trained on balanced classes.
    `deployment`: share of images with cancer where the model is used.
    """
    labels = np.array([record.cancer for record in records], np.int32)
    population = Population(float(labels.mean()), deployment)
    at_data = fit_calibration(labels, margins)
    scaling = at_data.moved(population.data, population.deployment)

    return Choice(
        temperature=scaling.temperature,
        offset=scaling.offset,
        data_prevalence=population.data,
        deployment_prevalence=population.deployment,
        levels=choose_levels(records, served_probabilities(margins, scaling), targets, population),
    )


def served_probabilities(margins: Values, scaling: PlattScaling) -> Values:
    """Return calibrated probabilities as a bundle gives them, in numbers of 32 bits.

    Near 1 these are coarser. Thresholds must not lie between probabilities that are served as one.
    """
    return calibrate(margins, scaling).astype(np.float32).astype(np.float64)


def choose_levels(
    records: Sequence[Record], probabilities: Values, targets: Targets, population: Population
) -> Levels:
    """Choose the thresholds of every level on the probabilities of images as they are served.

    Every level has cases with and without cancer, see `training.data.split.require_both_classes`.
    """
    facts = {
        level.value: _choose_level(level, records, probabilities, targets, population)
        for level in Level
    }
    return Levels(**facts)


def scalings(choice: Choice) -> tuple[PlattScaling, PlattScaling]:
    """Return the calibration at the deployment prevalence, and at that of the data."""
    deployed = PlattScaling(choice.temperature, choice.offset)
    return deployed, deployed.moved(choice.deployment_prevalence, choice.data_prevalence)


def _choose_level(
    level: Level,
    records: Sequence[Record],
    probabilities: Values,
    targets: Targets,
    population: Population,
) -> LevelFacts:
    """Choose the thresholds of one level: of all cases, and of those with fewer views."""
    target = Target(*_target(level, targets))
    cases = gather(level, records, probabilities, group(level, records))
    healthy = cases.probabilities[cases.labels == 0]

    by_views = {}
    for views, (groups, labels) in partial_cases(level, records).items():
        some = gather(level, records, probabilities, groups, labels=labels)
        if labels.min() == labels.max():
            # One class tells nothing about a threshold. That of all cases holds.
            continue
        by_views[views] = ViewsFacts(
            threshold=min(_threshold(target, some, population), 1.0),
            sensitivity=None,
            specificity=None,
            cases=len(some),
        )

    threshold = _threshold(target, cases, population)
    rule = f"{target.sentence}, over {CASES[level]} of patients that were not trained on."
    if threshold > 1:
        rule = f"{rule} {NOT_KEPT}"

    return LevelFacts(
        target=rule,
        threshold=min(threshold, 1.0),
        sensitivity=None,
        specificity=None,
        cases=len(cases),
        with_cancer=int(cases.labels.sum()),
        quantiles=tuple(np.quantile(healthy, np.linspace(0, 1, QUANTILES)).tolist()),
        by_views=by_views,
    )


def _threshold(target: Target, cases: Cases, population: Population) -> float:
    """Return the threshold of the target. It is above 1 if no possible threshold keeps to it.

    If it shall call no case positive it is the next number of 32 bits above all cases: the service
    compares such numbers.
    """
    weights = population_weights(cases.labels, population.share(cases))
    threshold = choose_threshold(target, cases.labels, cases.probabilities, weights)
    highest = float(cases.probabilities.max())
    if threshold <= highest:
        return threshold

    above = np.float32(highest)
    if above <= highest:
        above = np.nextafter(above, np.float32(2))
    return float(above)


def _target(level: Level, targets: Targets) -> tuple[TargetKind, float]:
    chosen = {Level.IMAGE: targets.image, Level.BREAST: targets.breast, Level.EXAM: targets.exam}
    return chosen[level].kind, chosen[level].value
