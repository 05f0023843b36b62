import pytest

from training.scorecard.criteria import Criterion, layer_entries


@pytest.mark.parametrize(
    ("asked", "value", "verdict", "told"),
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
def test_a_figure_is_judged_by_what_is_asked(
    asked: Criterion, value: float | None, verdict: str, told: str
) -> None:
    line = asked.judge("figure", value)
    assert (line.verdict, line.asked) == (verdict, told)


def test_a_layer_with_hardly_a_living_filter_fails_and_many_dead_ones_do_not() -> None:
    lines = {
        line.name: line.verdict
        for line in layer_entries({"one": 0.46, "two": 0.95}, {"logits": 0.9})
    }
    assert lines == {
        "dead_filters one": "pass",
        "dead_filters two": "fail",
        "randomised to logits": "informative",
    }
