import pytest

from service.explanation import FIGURES, diagnose, unusual_warnings
from service.records import ReferenceRange

ENTROPY = ReferenceRange(0.4, 0.8)
LIFT = ReferenceRange(1.2, 2.0)


def test_figures_are_unusual_on_alarm_side_only() -> None:
    ranges = {"entropy": ENTROPY, "lift": LIFT, "breast_share": ReferenceRange(0.2, 0.6)}

    measures = diagnose({"entropy": 0.9, "lift": 2.5, "breast_share": 0.9}, ranges)

    assert {name: diagnostic.unusual for name, diagnostic in measures.items()} == {
        "entropy": True,
        "lift": False,
        "breast_share": False,
    }
    assert measures["entropy"].reference == ENTROPY
    assert diagnose({"lift": 1.0}, ranges)["lift"].unusual
    assert not diagnose({"entropy": 0.1}, ranges)["entropy"].unusual
    assert [measures[name].alarm for name in ("entropy", "lift", "breast_share")] == [
        "above", "below", None,
    ]  # fmt: skip


def test_figure_without_reference_is_not_unusual() -> None:
    entropy = diagnose({"entropy": 0.99}, {})["entropy"]

    assert (entropy.value, entropy.reference, entropy.unusual) == (0.99, None, False)


def test_warning_names_figure_value_and_side() -> None:
    measures = diagnose({"entropy": 0.9123, "lift": 1.5}, {"entropy": ENTROPY, "lift": LIFT})

    (warning,) = unusual_warnings(measures)

    assert warning.code == "unusual-entropy"
    for part in ("0.912, above", "0.4", "0.8", FIGURES["entropy"].meaning):
        assert part in warning.message


def test_undefined_figure_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        diagnose({"beauty": 1.0}, {})
