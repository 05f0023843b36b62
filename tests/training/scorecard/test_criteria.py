import math

import pytest

from service.model import Verdict
from training.config import Requirements
from training.scorecard.criteria import CRITERIA, Criterion, judge
from training.scorecard.estimates import Estimate

AT_LEAST = Criterion("", minimum=0.5, min_cases=20)
AT_MOST = Criterion("", maximum=0.5, min_cases=20)


@pytest.mark.parametrize(
    ("criterion", "estimate", "verdict"),
    [
        (AT_LEAST, Estimate(0.5), "pass"),
        (AT_LEAST, Estimate(0.49), "fail"),
        (AT_MOST, Estimate(0.5), "pass"),
        (AT_MOST, Estimate(0.51), "fail"),
        (Criterion(""), Estimate(0.9), "informative"),
        (AT_MOST, None, "undecided"),
        (AT_MOST, Estimate(math.nan), "undecided"),
        (Criterion("", minimum=0.5, required=False), None, "informative"),
    ],
)
def test_value_is_judged_by_its_bound(
    criterion: Criterion, estimate: Estimate | None, verdict: Verdict
) -> None:
    assert criterion.judge("figure", estimate).verdict == verdict


@pytest.mark.parametrize(
    ("low", "high", "at_least", "at_most"),
    [
        (0.5, 0.7, "pass", "undecided"),
        (0.4, 0.7, "undecided", "undecided"),
        (0.3, 0.5, "undecided", "pass"),
        (0.3, 0.49, "fail", "pass"),
        (0.51, 0.7, "pass", "fail"),
    ],
)
def test_interval_must_lie_on_one_side(
    low: float, high: float, at_least: Verdict, at_most: Verdict
) -> None:
    estimate = Estimate((low + high) / 2, low, high, cases=20)

    assert AT_LEAST.judge("figure", estimate).verdict == at_least
    assert AT_MOST.judge("figure", estimate).verdict == at_most


def test_too_few_cases_are_undecided() -> None:
    assert AT_LEAST.judge("figure", Estimate(1.0, 0.9, 1.0, cases=19)).verdict == "undecided"


def test_entry_tells_requirement_interval_and_cases() -> None:
    entry = AT_LEAST.judge("figure", Estimate(0.8, 0.7, 0.9, cases=40))

    assert (entry.asked, entry.low, entry.high, entry.cases) == ("at least 0.5", 0.7, 0.9, 40)
    assert entry.value_text == "0.8 (0.7 to 0.9)"


def test_experiment_sets_the_minimal_auc() -> None:
    figures = {"auc": Estimate(0.6, 0.58, 0.62, cases=200)}

    by_default = judge(figures, Requirements(), cells=494)[0]
    lowered = judge(figures, Requirements(min_auc=0.55), cells=494)[0]

    assert (by_default.verdict, by_default.asked) == ("fail", "at least 0.65")
    assert (lowered.verdict, lowered.asked) == ("pass", "at least 0.55")


def test_layer_fails_only_with_almost_all_filters_dead() -> None:
    figures = {
        "dead_filters one": Estimate(0.46),
        "dead_filters two": Estimate(0.95),
        "randomised to logits": Estimate(0.9),
    }

    of_layers = judge(figures, Requirements(), cells=494)[len(CRITERIA) :]

    assert {entry.name: entry.verdict for entry in of_layers} == {
        "dead_filters one": "informative",
        "dead_filters two": "informative",
        "randomised to logits": "informative",
    }


@pytest.mark.parametrize(("cells", "verdict"), [(6, "pass"), (12, "fail"), (494, "fail")])
def test_few_cells_may_share_a_peak(cells: int, verdict: Verdict) -> None:
    figures = {"stationary": Estimate(0.4, 0.35, 0.45, cases=100)}

    lines = {line.name: line for line in judge(figures, Requirements(), cells)}

    assert lines["stationary"].verdict == verdict
