import pytest

from service.model import Localisation
from training.scorecard.estimates import Estimate
from training.scorecard.figures import in_spreads, lesion_figures


def test_gap_in_spreads_ignores_the_scale() -> None:
    plain = in_spreads(Estimate(1.0, 0.5, 1.5, cases=8), spread=2.0)
    times_ten = in_spreads(Estimate(10.0, 5.0, 15.0, cases=8), spread=20.0)

    assert plain == times_ten == Estimate(0.5, 0.25, 0.75, cases=8)


@pytest.mark.parametrize("spread", [0.0, float("nan"), float("inf")])
def test_gap_without_spread_was_not_measured(spread: float) -> None:
    assert in_spreads(Estimate(0.8), spread) is None


def test_pointing_is_a_share_of_images() -> None:
    figures = lesion_figures(Localisation(images=40, pointing=0.9, mass=0.2, rank=0.3, iou=0.1))

    pointing = figures["pointing"]
    assert pointing is not None
    assert (pointing.value, pointing.cases) == (0.9, 40)
    assert pointing.low == pytest.approx(0.7695, abs=1e-3)


def test_unknown_lesions_give_no_figures() -> None:
    assert lesion_figures(None) == {}
