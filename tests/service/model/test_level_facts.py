"""Facts of levels: what is refused, and percentiles against cases worked by hand."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.level_facts import EVEN, level_facts

VIEWS = {"threshold": 0.3, "sensitivity": None, "specificity": None, "cases": 5}


@pytest.mark.parametrize(
    "change",
    [
        {"target": " "},
        {"threshold": 1.01},
        {"threshold": float("nan")},
        {"quantiles": EVEN[:100]},
        {"quantiles": (*EVEN, 1.0)},
        {"quantiles": EVEN[::-1]},
        {"quantiles": (*EVEN[:100], 1.01)},
        {"with_cancer": 201},
        {"sensitivity": {"value": 0.5, "low": 0.6, "high": 0.4}},
        {"sensitivity": {"value": 1.5, "low": 0.4, "high": 0.6}},
        {"by_views": {0: VIEWS}},
        {"by_views": {2: VIEWS | {"threshold": -0.1}}},
        {"by_views": {2: VIEWS | {"cases": -1}}},
        {"unheard_of": 1},
    ],
    ids=",".join,
)
def test_invalid_facts_are_rejected(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        level_facts(**change)


@pytest.mark.parametrize(
    ("probability", "percentile"),
    [(0.0, 0), (0.25, 25), (0.256, 25.6), (0.999, 99.9), (1.0, 100)],
)
def test_percentile_of_even_quantiles_is_probability(probability: float, percentile: int) -> None:
    assert level_facts().percentile(probability) == pytest.approx(percentile)


def test_percentile_outside_quantiles_is_bounded() -> None:
    facts = level_facts(quantiles=tuple(0.2 + step / 200 for step in range(101)))

    assert facts.percentile(0.1) == 0
    assert facts.percentile(0.9) == 100


def test_percentile_of_ties_is_their_middle() -> None:
    """The quantiles from 10 % to 40 % are 0.1, and those from 41 % on rise from 0.2."""
    quantiles = (
        *(step / 100 for step in range(10)),
        *[0.1] * 31,
        *(0.2 + step / 100 for step in range(60)),
    )
    facts = level_facts(quantiles=quantiles)

    assert facts.percentile(0.1) == 25
    assert facts.percentile(0.095) == pytest.approx(9.5)
    # Half of the way from 40 % to 41 %.
    assert facts.percentile(0.15) == pytest.approx(40.5)
    assert level_facts(quantiles=(0.0,) * 101).percentile(0.0) == 50
