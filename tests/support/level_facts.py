"""Facts of levels, curves and provenance in tests."""

from typing import Any

from service.model import (
    CalibrationBin,
    Curves,
    ImageCalibration,
    LevelCurve,
    LevelCurves,
    LevelFacts,
    Levels,
    MeasuredShare,
    Provenance,
    RocCurve,
    ViewsFacts,
)

SHARE = MeasuredShare(value=0.8, low=0.7, high=0.9)
EVEN = tuple(step / 100 for step in range(101))
"""Quantiles of probabilities that are spread evenly."""


def level_facts(**changes: Any) -> LevelFacts:
    """Return the facts of a level with even quantiles and a threshold of 0.4."""
    facts = {
        "target": "Highest sensitivity at a recall of at most 10 %.",
        "threshold": 0.4,
        "sensitivity": SHARE,
        "specificity": MeasuredShare(value=0.91, low=0.88, high=0.94),
        "cases": 200,
        "with_cancer": 20,
        "quantiles": EVEN,
    }
    return LevelFacts.model_validate(facts | changes)


def levels(threshold: float = 0.4) -> Levels:
    """Return facts of all levels. `threshold`: of the image."""
    single = ViewsFacts(threshold=0.35, sensitivity=None, specificity=SHARE, cases=12)
    return Levels(
        image=level_facts(threshold=threshold),
        breast=level_facts(threshold=0.3, cases=100, by_views={2: single, 1: single}),
        exam=level_facts(threshold=0.45, cases=50, sensitivity=None, with_cancer=0),
    )


def curves(*, exam: bool = False) -> Curves:
    """Return curves of four points. Every exam has cancer, unless `exam` gives it a curve."""
    roc = RocCurve(
        false_positive_rate=(0.0, 0.05, 0.1, 1.0),
        sensitivity=(0.5, 0.6, 0.75, 1.0),
        low=(0.4, 0.5, 0.65, 1.0),
        high=(0.6, 0.7, 0.85, 1.0),
    )
    auc = MeasuredShare(value=0.85, low=0.8, high=0.9)
    bins = (
        CalibrationBin(probability=0.01, observed=0.0, low=0.0, high=0.05, count=60),
        CalibrationBin(probability=0.4, observed=0.5, low=0.35, high=0.65, count=60),
    )
    breast = LevelCurve(roc=roc, auc=auc, cases=60, with_cancer=30)
    return Curves(
        levels=LevelCurves(
            image=LevelCurve(roc=roc, auc=auc, cases=120, with_cancer=30),
            breast=breast,
            exam=breast if exam else None,
        ),
        calibration=ImageCalibration(error=0.055, bins=bins),
    )


def provenance() -> Provenance:
    """Return a provenance with a known commit."""
    return Provenance(
        table_sha256="a" * 64,
        images_sha256="b" * 64,
        split_sha256="c" * 64,
        commit="0123abc",
        versions={"python": "3.11.2", "keras": "3.12.0"},
        device="CPU",
        seeds={"training": 7, "split": 0},
        patients={"train": 60, "validation": 20, "test": 20},
        images={"train": 240, "validation": 80, "test": 80},
    )
