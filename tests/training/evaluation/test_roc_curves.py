"""Curves against scikit-learn, an independent bootstrap, and a case worked by hand."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from service.model import Level, LevelCurve
from tests.support.level_facts import curves
from tests.support.views import complete_exam
from training.data.table import Record
from training.errors import RunError
from training.evaluation.cases import Cases, gather, group
from training.evaluation.roc_curves import level_curve, read_curves
from training.evaluation.statistics import BOOTSTRAP_DRAWS, Interval, Labels, Values

AUC = Interval(0.81234, 0.7, 0.9)


def exams(count: int) -> list[Record]:
    """Return complete exams. Every third woman has a cancer on the left."""
    return [
        record
        for patient in range(count)
        for record in complete_exam(f"p{patient:02}", cancers="L" if patient % 3 == 0 else "")
    ]


def cases_of(level: Level, count: int = 30, seed: int = 0) -> Cases:
    """Return cases of that many exams, with many equal probabilities."""
    records = exams(count)
    labels = np.array([record.cancer for record in records])
    margins = np.random.default_rng(seed).normal(1.2 * labels, 1)
    probabilities = np.round(1 / (1 + np.exp(-margins)), 2)
    return gather(level, records, probabilities, group(level, records))


def curve_of(cases: Cases) -> LevelCurve:
    curve = level_curve(cases, AUC)
    assert curve is not None
    return curve


def highest(labels: Labels, scores: Values, rate: float) -> float:
    """Return the highest sensitivity up to a rate of false positives, by scikit-learn."""
    rates, sensitivities, _ = roc_curve(labels, scores, drop_intermediate=False)
    return float(sensitivities[rates <= rate + 1e-9].max())


@pytest.mark.parametrize("level", list(Level))
def test_points_lie_on_curve_of_scikit_learn(level: Level) -> None:
    cases = cases_of(level)

    curve = curve_of(cases)

    rates = curve.roc.false_positive_rate
    expected = [highest(cases.labels, cases.probabilities, rate) for rate in rates]
    assert rates == pytest.approx(np.linspace(0, 1, 101))
    assert curve.roc.sensitivity == pytest.approx(expected, abs=5e-5)
    assert len(set(curve.roc.sensitivity)) > 5
    assert (curve.cases, curve.with_cancer) == (len(cases), cases.labels.sum())
    assert curve.auc.value == 0.8123


def test_points_equal_those_worked_by_hand() -> None:
    """Scores descend: two cancers, a healthy case, a cancer beside a healthy one, three healthy."""
    records = [record for patient in "abcdefgh" for record in complete_exam(patient)[:1]]
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.6, 0.3, 0.2, 0.1])
    labels = np.array([1, 1, 0, 1, 0, 0, 0, 0], np.int32)

    roc = curve_of(gather(Level.IMAGE, records, scores, group(Level.IMAGE, records), 1.0, labels))

    # Of five healthy cases one is 20 %. The tie is passed at once, with two of them.
    points = [roc.roc.sensitivity[percent] for percent in (0, 19, 20, 39, 40, 100)]
    assert points == [0.6667, 0.6667, 0.6667, 0.6667, 1, 1]


def test_intervals_agree_with_independent_bootstrap() -> None:
    """Patients are drawn by another generator, and counted without weights."""
    cases = cases_of(Level.IMAGE)
    rng = np.random.default_rng(99)
    patients = np.asarray(cases.patients)
    members = [np.flatnonzero(patients == name) for name in np.unique(patients)]
    drawn = []
    for _ in range(BOOTSTRAP_DRAWS):
        rows = np.concatenate([members[one] for one in rng.integers(len(members), size=30)])
        drawn.append(
            [highest(cases.labels[rows], cases.probabilities[rows], rate) for rate in (0.1, 0.5)]
        )

    roc = curve_of(cases).roc

    low, high = np.percentile(drawn, (2.5, 97.5), axis=0)
    assert [roc.low[10], roc.low[50]] == pytest.approx(low, abs=0.06)
    assert [roc.high[10], roc.high[50]] == pytest.approx(high, abs=0.06)
    assert roc.high[10] - roc.low[10] > 0.3


def test_level_of_one_class_has_no_curve() -> None:
    assert level_curve(cases_of(Level.EXAM), None) is None


def test_curves_of_a_run_are_read(tmp_path: Path) -> None:
    path = tmp_path / "curves.json"
    assert read_curves(path) is None

    path.write_text(curves().model_dump_json())
    assert read_curves(path) == curves()

    path.write_text("{}")
    with pytest.raises(RunError, match=r"curves.json does not hold valid curves: run `python -m"):
        read_curves(path)
