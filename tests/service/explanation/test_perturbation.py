import numpy as np
import pytest

from service.explanation import evidence_gaps, noisy_copies, stability
from service.explanation.perturbation import hottest_first, surrogate
from service.geometry import IDENTITY, Affine
from service.records import Floats, Heatmap, MapState, Mask, Peak

RNG = np.random.default_rng(9)
BREAST: Mask = np.zeros((40, 30), np.bool_)
BREAST[5:35, :20] = True
IMAGE: Floats = np.where(BREAST, 0.5, 0).astype(np.float32)[..., None]
IMAGE[10:16, 6:12] = 1.0
BASELINE: Floats = np.where(BREAST, 0.5, 0).astype(np.float32)[..., None]


def lesion_margins(images: Floats) -> np.ndarray:
    """How much of the lesion is there."""
    return np.asarray(images[:, 10:16, 6:12].sum(axis=(1, 2, 3), dtype=np.float64))


def heated(values: Floats, to_source: Affine = IDENTITY) -> Heatmap:
    row, column = (int(index) for index in np.unravel_index(values.argmax(), values.shape))
    return Heatmap(
        values, to_source, MapState.OK, Peak(float(values.max()), row, column, column, row)
    )


def spot(row: int, column: int) -> Floats:
    y, x = np.mgrid[:40, :30]
    return np.asarray(np.exp(-((y - row) ** 2 + (x - column) ** 2) / 20), dtype=np.float32)


def gaps(values: Floats) -> dict[str, float]:
    return evidence_gaps(IMAGE, BASELINE, BREAST, heated(values), IDENTITY, lesion_margins)


def test_heat_on_the_evidence_beats_random_maps_and_heat_beside_it_does_not() -> None:
    on, beside = gaps(spot(12, 8)), gaps(spot(30, 15))
    assert min(on.values()) > 2
    assert max(beside.values()) < 0


def test_the_gaps_are_those_counted_by_hand() -> None:
    # Every pixel counts 1 on a breast of 600: an order, any order, inserts 6, 12, 24, 48, 96 and 192 of them.
    halves = IMAGE.copy()
    halves[BREAST] = 1.0
    found = evidence_gaps(
        halves,
        np.zeros_like(halves),
        BREAST,
        heated(spot(12, 8)),
        IDENTITY,
        lambda images: images.sum(axis=(1, 2, 3)),
    )
    assert found == {
        "insertion_gap": pytest.approx(0, abs=1e-3),
        "deletion_gap": pytest.approx(0, abs=1e-3),
    }


def test_a_coarse_map_is_read_at_its_cells_centres() -> None:
    # cells of 5 x 5 pixels, the one on the lesion hot
    values = np.zeros((8, 6), np.float32)
    values[2, 1] = 1
    found = evidence_gaps(
        IMAGE, BASELINE, BREAST, heated(values), Affine(1 / 5, -0.4, 1 / 5, -0.4), lesion_margins
    )
    assert min(found.values()) > 1


def test_random_maps_are_as_smooth_as_the_map() -> None:
    values = spot(12, 8)
    random = surrogate(values, np.random.default_rng(1))
    one, other = (np.abs(np.fft.rfft2(each))[1:15, 1:15] for each in (random, values))
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
    assert abs(np.corrcoef(random.ravel(), values.ravel())[0, 1]) < 0.5


def test_pixels_come_in_the_order_of_their_heat_and_from_the_breast_alone() -> None:
    order = hottest_first(spot(12, 8), BREAST, RNG)
    assert order[0] == 12 * 30 + 8
    assert sorted(order) == np.flatnonzero(BREAST).tolist()
    heat = spot(12, 8).ravel()[order]
    assert (np.diff(heat) <= 0).all()


def test_equal_pixels_come_in_random_order() -> None:
    order = hottest_first(np.zeros((40, 30), np.float32), BREAST, RNG)
    assert np.corrcoef(order, np.arange(len(order)))[0, 1] < 0.2


def test_a_map_that_stays_is_stable_and_one_that_vanishes_is_not() -> None:
    found = heated(spot(12, 8))
    blank = Heatmap(np.zeros((40, 30), np.float32), IDENTITY, MapState.ALL_NEGATIVE, None)
    assert stability(found, [found, found]) == pytest.approx(1)
    assert stability(found, [found, blank]) == pytest.approx(0.5)
    assert stability(found, [heated(spot(30, 15))]) < 0


def test_noise_is_one_percent_of_white_and_in_the_breast_alone() -> None:
    copies = noisy_copies(IMAGE, BREAST)
    noise = (copies - IMAGE)[..., 0]
    assert noise[:, BREAST].std() == pytest.approx(0.01, rel=0.1)
    assert not noise[:, ~BREAST].any()
