from collections.abc import Iterable

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


def lesion_margins(images: Iterable[Floats]) -> np.ndarray:
    """Return the brightness of the lesion."""
    return np.array([image[10:16, 6:12].sum(dtype=np.float64) for image in images])


def heated(values: Floats, to_source: Affine = IDENTITY) -> Heatmap:
    row, column = (int(index) for index in np.unravel_index(values.argmax(), values.shape))
    peak = Peak(float(values.max()), row, column, column, row)
    return Heatmap(values, to_source, MapState.OK, peak)


def spot(row: int, column: int) -> Floats:
    y, x = np.mgrid[:40, :30]
    return np.asarray(np.exp(-((y - row) ** 2 + (x - column) ** 2) / 20), dtype=np.float32)


def gaps(values: Floats) -> dict[str, float]:
    return evidence_gaps(IMAGE, BASELINE, BREAST, heated(values), IDENTITY, lesion_margins)


def test_only_heat_on_evidence_beats_random_maps() -> None:
    on_lesion = gaps(spot(12, 8))
    beside_lesion = gaps(spot(30, 15))

    assert min(on_lesion.values()) > 2
    assert max(beside_lesion.values()) < 0


def test_gaps_are_zero_if_pixels_count_alike() -> None:
    """Any order inserts 6, 12, 24, 48, 96 and 192 of the breast's 600 pixels, each counting 1."""
    white = IMAGE.copy()
    white[BREAST] = 1.0

    equal_gaps = evidence_gaps(
        white,
        np.zeros_like(white),
        BREAST,
        heated(spot(12, 8)),
        IDENTITY,
        lambda images: np.array([image.sum() for image in images]),
    )

    assert equal_gaps == {
        "insertion_gap": pytest.approx(0, abs=1e-3),
        "deletion_gap": pytest.approx(0, abs=1e-3),
    }


def test_coarse_map_is_read_at_cell_centres() -> None:
    # Cells of 5 x 5 pixels. The cell on the lesion is hot.
    values = np.zeros((8, 6), np.float32)
    values[2, 1] = 1
    to_cell = Affine(1 / 5, -0.4, 1 / 5, -0.4)

    coarse_gaps = evidence_gaps(IMAGE, BASELINE, BREAST, heated(values), to_cell, lesion_margins)

    assert min(coarse_gaps.values()) > 1


def test_random_maps_are_as_smooth_as_map() -> None:
    values = spot(12, 8)

    random = surrogate(values, np.random.default_rng(1))

    one, other = (np.abs(np.fft.rfft2(heat))[1:15, 1:15] for heat in (random, values))
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
    assert abs(np.corrcoef(random.ravel(), values.ravel())[0, 1]) < 0.5


def test_breast_pixels_come_hottest_first() -> None:
    order = hottest_first(spot(12, 8), BREAST, RNG)

    assert order[0] == 12 * 30 + 8
    assert sorted(order) == np.flatnonzero(BREAST).tolist()
    heat = spot(12, 8).ravel()[order]
    assert (np.diff(heat) <= 0).all()


def test_equal_pixels_come_in_random_order() -> None:
    order = hottest_first(np.zeros((40, 30), np.float32), BREAST, RNG)

    assert np.corrcoef(order, np.arange(len(order)))[0, 1] < 0.2


def test_stability_is_mean_correlation_with_other_maps() -> None:
    heat = heated(spot(12, 8))
    blank = Heatmap(np.zeros((40, 30), np.float32), IDENTITY, MapState.ALL_NEGATIVE, None)

    assert stability(heat, [heat, heat]) == pytest.approx(1)
    assert stability(heat, [heat, blank]) == pytest.approx(0.5)
    assert stability(heat, [heated(spot(30, 15))]) < 0


def test_noise_is_one_percent_inside_breast() -> None:
    """The noise is relative to white. There is none outside the breast."""
    copies = noisy_copies(IMAGE, BREAST)

    noise = (copies - IMAGE)[..., 0]
    assert noise[:, BREAST].std() == pytest.approx(0.01, rel=0.1)
    assert not noise[:, ~BREAST].any()
