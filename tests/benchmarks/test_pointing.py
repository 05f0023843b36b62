import numpy as np
import pytest

from benchmarks.pointing import Circle, breast_centroid, brightest_spot, hits, play, wilson
from service.geometry import Affine
from service.records import Box, Fitted

CIRCLE = Circle(x=100, y=50, radius=10)
# Cells of 8 x 8 source pixels: 4 x 4 model pixels of 2 x 2 source pixels.
CELL_TO_SOURCE = Affine(8, 3.5, 8, 3.5)
GRID_TO_SOURCE = Affine(2, 0.5, 2, 0.5)


def fitted(image: np.ndarray, mask: np.ndarray) -> Fitted:
    return Fitted(
        image=image.astype(np.float32)[..., None],
        mask=mask,
        to_source=GRID_TO_SOURCE,
        box=Box(0, 0, 2 * mask.shape[1], 2 * mask.shape[0]),
        side="left",
        breast=mask,
        breast_to_source=GRID_TO_SOURCE,
    )


@pytest.mark.parametrize(
    ("place", "cell", "expected"),
    [
        ((110, 50), (0, 0), True),
        ((110.1, 50), (0, 0), False),
        ((116, 50), (12, 0), True),
        ((116.1, 50), (12, 0), False),
        # 13 right and 14 down, of which the cell covers 5 and 10: 8 and 4 are left.
        ((113, 64), (10, 20), True),
        # 8 and 8 are left.
        ((113, 68), (10, 20), False),
    ],
)
def test_hit_needs_cell_that_touches_circle(
    place: tuple[float, float], cell: tuple[float, float], expected: bool
) -> None:
    hit = hits([CIRCLE], np.array([place]), cell)

    assert hit.tolist() == [expected]


def test_chance_is_share_of_breast_cells_hit() -> None:
    """Of 4 x 4 cells the left 2 columns are breast; the circle covers one of these 8 centres."""
    mask = np.zeros((16, 16), np.bool_)
    mask[:, :8] = True
    lesion = Circle(x=11.5, y=19.5, radius=1)

    game = play([lesion], (11.5, 19.5), fitted(mask, mask), CELL_TO_SOURCE, (4, 4))

    assert (game.plain, game.grown) == (True, True)
    assert game.chance_plain == 1 / 8
    assert game.chance_grown == 1 / 8


def test_map_without_peak_misses() -> None:
    mask = np.ones((16, 16), np.bool_)
    everything = Circle(x=16, y=16, radius=100)

    game = play([everything], None, fitted(mask, mask), CELL_TO_SOURCE, (4, 4))

    assert (game.plain, game.grown) == (False, False)
    assert game.chance_plain == 1


def test_brightest_spot_lies_in_the_breast() -> None:
    image = np.zeros((16, 16))
    image[4, 5] = 0.5
    image[12, 13] = 1
    mask = np.zeros((16, 16), np.bool_)
    mask[:, :8] = True

    assert brightest_spot(fitted(image, mask), sigma=1) == (10.5, 8.5)


def test_centroid_is_mean_place_of_mask() -> None:
    mask = np.zeros((16, 16), np.bool_)
    mask[2:5, 0:3] = True

    assert breast_centroid(fitted(mask, mask)) == (2.5, 6.5)


def test_interval_is_wilsons() -> None:
    """Brown, Cai and DasGupta, 2001, formula 4, by hand: 0.2366 to 0.7634 for 5 of 10."""
    assert wilson(5, 10) == "5/10 (24% to 76%)"
    assert wilson(0, 0) == "-"
