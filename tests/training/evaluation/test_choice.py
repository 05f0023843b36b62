from collections import defaultdict
from collections.abc import Hashable

import numpy as np
import pytest
from scipy.special import expit, logit

from service.model import Level, LevelFacts
from tests.support.views import complete_exam, view_of
from training.data.table import Record
from training.evaluation.calibration import PlattScaling
from training.evaluation.choice import (
    NOT_KEPT,
    Population,
    choose,
    choose_levels,
    scalings,
    served_probabilities,
)
from training.evaluation.operating_points import TargetKind
from training.evaluation.statistics import Labels, Values
from training.evaluation_config import LevelTarget, Targets

PATIENTS = 150
DEPLOYMENT = 0.02


def targets(kind: TargetKind, value: float) -> Targets:
    target = LevelTarget.model_validate({kind: value})
    return Targets(image=target, breast=target, exam=target)


def cohort(seed: int = 0) -> tuple[list[Record], Values]:
    """Return the images of women of whom a third have a cancer on the left, and their margins.

    The margins are those of a good and overconfident network.
    """
    rng = np.random.default_rng(seed)
    records = [
        record
        for patient in range(PATIENTS)
        for record in complete_exam(f"p{patient}", cancers="L" if patient % 3 == 0 else "")
    ]
    labels = np.array([record.cancer for record in records])
    return records, 2 * (2 * labels - 1 + rng.normal(0, 1.4, len(records)))


def cases_by_hand(
    level: Level, records: list[Record], probabilities: Values
) -> tuple[Labels, Values]:
    """Return labels and probabilities: of an exam the highest breast, of a breast the mean."""
    breasts: dict[Hashable, list[float]] = defaultdict(list)
    labels: dict[Hashable, int] = defaultdict(int)
    for record, probability in zip(records, probabilities, strict=True):
        key = record.key if level is Level.IMAGE else record.breast
        breasts[key].append(probability)
        labels[key] |= record.cancer

    scores = {key: float(np.mean(values)) for key, values in breasts.items()}
    if level is Level.EXAM:
        patients = dict.fromkeys(record.patient_id for record in records)
        pairs = [[(p, "", "L"), (p, "", "R")] for p in patients]
        labels = {pair[0]: max(labels[key] for key in pair) for pair in pairs}
        scores = {pair[0]: max(scores[key] for key in pair) for pair in pairs}
    return np.array(list(labels.values()), np.int32), np.array(list(scores.values()))


def best_by_hand(
    kind: TargetKind, value: float, labels: Labels, scores: Values, share: float
) -> tuple[float, float]:
    """Return sensitivity and specificity of the best of all thresholds that keep the target."""
    allowed = []
    for threshold in [*np.unique(scores), 2.0]:
        sensitivity = float((scores[labels == 1] >= threshold).mean())
        specificity = float((scores[labels == 0] < threshold).mean())
        recall = share * sensitivity + (1 - share) * (1 - specificity)
        kept = {
            "specificity": specificity >= value,
            "sensitivity": sensitivity >= value,
            "recall": recall <= value,
        }[kind]
        if kept:
            allowed.append((sensitivity, specificity))
    return max(allowed, key=lambda pair: pair[::-1] if kind == "sensitivity" else pair)


@pytest.mark.parametrize(
    ("kind", "value"), [("specificity", 0.87), ("sensitivity", 0.83), ("recall", 0.1)]
)
def test_thresholds_are_the_best_of_all(kind: TargetKind, value: float) -> None:
    records, margins = cohort()

    choice = choose(records, margins, targets(kind, value), DEPLOYMENT)

    scaling = PlattScaling(choice.temperature, choice.offset)
    probabilities = served_probabilities(margins, scaling)
    for level, facts in choice.levels.by_level().items():
        labels, scores = cases_by_hand(level, records, probabilities)
        # A sixth of the images and a third of the exams have a cancer.
        odds = labels.mean() / (1 - labels.mean()) * (0.02 / 0.98) / (1 / 5)
        best = best_by_hand(kind, value, labels, scores, odds / (1 + odds))

        reached = (
            float((scores[labels == 1] >= facts.threshold).mean()),
            float((scores[labels == 0] < facts.threshold).mean()),
        )
        assert reached == best
        assert (facts.cases, facts.with_cancer) == (len(labels), labels.sum())
        assert facts.target.startswith("Highest")


def test_quantiles_are_those_of_numpy() -> None:
    records, margins = cohort()

    choice = choose(records, margins, Targets(), DEPLOYMENT)

    scaling = PlattScaling(choice.temperature, choice.offset)
    for level, facts in choice.levels.by_level().items():
        labels, scores = cases_by_hand(level, records, served_probabilities(margins, scaling))
        healthy = np.percentile(scores[labels == 0], np.arange(101))
        assert facts.quantiles == pytest.approx(healthy)


@pytest.mark.parametrize("deployment", [0.02, 0.3])
def test_mean_probability_follows_the_deployment_prevalence(deployment: float) -> None:
    """At 2 % an overconfident network used to give twice the probabilities that it should."""
    records, margins = cohort(1)

    choice = choose(records, margins, Targets(), deployment)

    labels = np.array([record.cancer for record in records])
    deployed, at_data = scalings(choice)
    probabilities = served_probabilities(margins, deployed)
    mean = deployment * probabilities[labels].mean() + (1 - deployment) * (
        probabilities[~labels].mean()
    )
    assert mean / deployment == pytest.approx(1, abs=0.1)
    assert served_probabilities(margins, at_data).mean() == pytest.approx(1 / 6, rel=1e-6)
    assert choice.temperature == pytest.approx(2 * 1.4**2 / 2, rel=0.25)


def test_fewer_views_have_thresholds_of_their_own() -> None:
    records, margins = cohort()

    levels = choose(records, margins, Targets(), DEPLOYMENT).levels

    counted = {
        level: {views: facts.cases for views, facts in some.by_views.items()}
        for level, some in levels.by_level().items()
    }
    assert counted == {
        Level.IMAGE: {},
        Level.BREAST: {1: 600, 2: 300},
        Level.EXAM: {1: 600, 2: 900, 3: 600, 4: 150},
    }
    # The highest of two breasts is higher than that of one.
    assert levels.exam.by_views[1].threshold < levels.exam.by_views[4].threshold
    assert levels.exam.by_views[4].threshold == levels.exam.threshold
    assert levels.breast.by_views[2].threshold == levels.breast.threshold


def test_views_of_one_class_have_no_threshold() -> None:
    """All complete exams are healthy, so nothing can be said about four views."""
    records = [record for patient in range(10) for record in complete_exam(f"p{patient}")]
    records += [view_of(f"c{patient}", cancer=True) for patient in range(10)]
    margins = np.random.default_rng(0).normal(size=len(records))

    levels = choose(records, margins, Targets(), DEPLOYMENT).levels

    assert levels.exam.by_views == levels.breast.by_views == {}
    assert levels.exam.cases == 20


def decisions(facts: LevelFacts, probabilities: Values) -> list[bool]:
    """Return the decisions as the service makes them, on numbers of 32 bits."""
    return [bool(p >= facts.threshold) for p in probabilities.astype(np.float32)]


def test_target_of_no_positive_case_holds_in_the_service() -> None:
    """Every other image is healthy and as high as the cancers, at the same 32 bits."""
    records = [view_of(f"p{index}", cancer=index % 2 == 0) for index in range(40)]
    probabilities = np.full(40, np.float32(0.7), np.float64)

    levels = choose_levels(
        records, probabilities, targets("specificity", 0.9), Population(0.5, 0.5)
    )

    assert not any(decisions(levels.image, probabilities))
    assert 0.7 < levels.image.threshold < 0.700001
    assert NOT_KEPT not in levels.image.target


def test_saturated_probabilities_say_that_the_target_breaks() -> None:
    """Half of the cases have a probability of 1, and a tenth may be positive."""
    records = [view_of(f"p{index}", cancer=index % 2 == 0) for index in range(40)]
    margins = np.where([record.cancer for record in records], 60.0, -60.0)

    levels = choose(records, margins, targets("recall", 0.1), 0.5).levels

    for facts in levels.by_level().values():
        assert facts.threshold == 1
        assert facts.target.endswith(NOT_KEPT)
    probabilities = served_probabilities(margins, PlattScaling(1.0))
    assert decisions(levels.image, probabilities) == [record.cancer for record in records]


def test_probabilities_are_those_of_32_bits() -> None:
    margins = np.array([-40.0, 0.3, 17.0, 20.0])

    served = served_probabilities(margins, PlattScaling(2.0, float(logit(0.2))))

    exact = expit(margins / 2 + logit(0.2))
    assert served.tolist() == [float(np.float32(value)) for value in exact]
    assert served == pytest.approx(exact, rel=1e-6)
