import pytest

from training.scorecard.criteria import Criterion, layer_entries


@pytest.mark.parametrize(
    ("criterion", "value", "verdict", "requirement"),
    [
        (Criterion("", minimum=0.5), 0.5, "pass", "at least 0.5"),
        (Criterion("", minimum=0.5), 0.49, "fail", "at least 0.5"),
        (Criterion("", maximum=0.5), 0.5, "pass", "at most 0.5"),
        (Criterion("", maximum=0.5), 0.51, "fail", "at most 0.5"),
        (Criterion(""), 0.9, "informative", "-"),
        (Criterion("", maximum=0.5), None, "fail", "at most 0.5"),
        (Criterion("", maximum=0.5), float("nan"), "fail", "at most 0.5"),
        (Criterion("", minimum=0.5, required=False), None, "informative", "at least 0.5"),
    ],
)
def test_figure_is_judged_by_its_criterion(
    criterion: Criterion, value: float | None, verdict: str, requirement: str
) -> None:
    line = criterion.judge("figure", value)

    assert (line.verdict, line.asked) == (verdict, requirement)


def test_layer_fails_only_with_almost_all_filters_dead() -> None:
    entries = layer_entries({"one": 0.46, "two": 0.95}, {"logits": 0.9})

    verdicts = {entry.name: entry.verdict for entry in entries}
    assert verdicts == {
        "dead_filters one": "pass",
        "dead_filters two": "fail",
        "randomised to logits": "informative",
    }
