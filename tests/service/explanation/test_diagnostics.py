import pytest

from service.explanation import FIGURES, measure, unusual_warnings
from service.records import ReferenceRange

ENTROPY, LIFT = ReferenceRange(0.4, 0.8), ReferenceRange(1.2, 2.0)


def test_a_figure_is_unusual_only_on_the_side_that_is_an_alarm() -> None:
    ranges = {"entropy": ENTROPY, "lift": LIFT, "breast_share": ReferenceRange(0.2, 0.6)}
    found = measure({"entropy": 0.9, "lift": 2.5, "breast_share": 0.9}, ranges)
    assert {name: measured.unusual for name, measured in found.items()} == {
        "entropy": True,
        "lift": False,
        "breast_share": False,
    }
    assert found["entropy"].reference == ENTROPY
    assert measure({"lift": 1.0}, ranges)["lift"].unusual
    assert not measure({"entropy": 0.1}, ranges)["entropy"].unusual


def test_without_a_reference_nothing_is_unusual() -> None:
    found = measure({"entropy": 0.99}, {})["entropy"]
    assert (found.value, found.reference, found.unusual) == (0.99, None, False)


def test_a_warning_names_the_figure_its_value_and_its_range() -> None:
    (warning,) = unusual_warnings(
        measure({"entropy": 0.9123, "lift": 1.5}, {"entropy": ENTROPY, "lift": LIFT})
    )
    assert warning.code == "unusual-entropy"
    for part in ("0.912", "0.4", "0.8", FIGURES["entropy"].meaning):
        assert part in warning.message


def test_a_figure_that_nobody_has_defined_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        measure({"beauty": 1.0}, {})
