"""Facts of levels and provenance in tests."""

from typing import Any

from service.model import LevelFacts, Levels, MeasuredShare, Provenance, ViewsFacts

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
