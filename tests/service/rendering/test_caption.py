import math
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.geometry import IDENTITY, Affine
from service.records import Box, DrawnHeat, Mask
from service.rendering import Caption, Colormap, Style, overlay
from service.rendering.caption import write_caption

ROWS = 400
COLUMNS = 300
TEXT = "Decided negative:\nheat is no finding."
CORNERS = {
    "top left": (slice(0, 20), slice(0, 40)),
    "top right": (slice(0, 20), slice(260, 300)),
    "bottom left": (slice(380, 400), slice(0, 40)),
    "bottom right": (slice(380, 400), slice(260, 300)),
}


def breast_outside(*free: str) -> Mask:
    """Return a breast that fills the picture, but for the corners of a quarter each."""
    breast = np.ones((ROWS, COLUMNS), np.bool_)
    for corner in free:
        vertical, horizontal = corner.split()
        rows = slice(0, 200) if vertical == "top" else slice(200, 400)
        columns = slice(0, 150) if horizontal == "left" else slice(150, 300)
        breast[rows, columns] = False
    return breast


def captioned(
    picture: NDArray[np.uint8], breast: Mask, to_source: Affine = IDENTITY
) -> NDArray[np.bool_]:
    """Return the pixels that the caption changes."""
    written = picture.copy()
    write_caption(written, (ROWS, COLUMNS), Caption(TEXT, breast, to_source))
    return np.asarray((written != picture).any(axis=2))


def flat(grey: int = 0) -> NDArray[np.uint8]:
    return np.full((ROWS, COLUMNS, 3), grey, np.uint8)


@pytest.mark.parametrize("corner", CORNERS)
def test_caption_lies_in_corner_without_breast(corner: str) -> None:
    breast = breast_outside(corner)

    changed = captioned(flat(), breast)

    assert changed[CORNERS[corner]].any()
    assert not changed[breast].any()


def test_caption_does_not_cover_a_label() -> None:
    picture = flat()
    picture[10:20, 10:40] = 200

    changed = captioned(picture, breast_outside("top left", "bottom right"))

    assert changed[CORNERS["bottom right"]].any()
    assert not changed[:200].any()


def test_caption_is_left_out_without_free_corner() -> None:
    picture = flat()
    picture[10:20, 10:40] = 200

    assert not captioned(picture, breast_outside()).any()
    assert not captioned(picture, breast_outside("top left")).any()


def test_caption_larger_than_picture_is_left_out() -> None:
    picture = np.zeros((40, 30, 3), np.uint8)

    assert not captioned(picture, np.zeros((ROWS, COLUMNS), np.bool_)).any()


def test_breast_is_laid_through_its_own_grid() -> None:
    # A grid of 4 x 3 pixels, mirrored, each over 100 x 100 of the source. Only the bottom left of
    # the source is free.
    breast = np.ones((4, 3), np.bool_)
    breast[2:, 1:] = False

    changed = captioned(flat(), breast, Affine(-100.0, 249.5, 100.0, 49.5))

    assert changed[CORNERS["bottom left"]].any()
    assert not changed[:200].any()
    assert not changed[:, 200:].any()


def test_letters_stand_out_on_white_air() -> None:
    picture = flat(255)

    write_caption(picture, (ROWS, COLUMNS), Caption(TEXT, breast_outside("top left"), IDENTITY))

    written = picture[CORNERS["top left"]]
    assert written.min() == 0
    assert written.max() > 200


def test_captioned_overlay_keeps_size_and_heat() -> None:
    values = np.zeros((ROWS, COLUMNS), np.float32)
    values[200:300, :150] = 3
    heat = DrawnHeat(values, IDENTITY, Box(0, 0, COLUMNS, ROWS), 3.0)
    style = Style(Colormap.INFERNO, 1.0, math.inf)
    grey = np.zeros((ROWS, COLUMNS), np.uint8)
    caption = Caption(TEXT, breast_outside("top right"), IDENTITY)

    plain, noted = (
        np.asarray(Image.open(BytesIO(picture.content)))
        for picture in (
            overlay(grey, grey.shape, heat, style, {}),
            overlay(grey, grey.shape, heat, style, {}, caption),
        )
    )

    assert noted.shape == plain.shape
    np.testing.assert_array_equal(noted[200:], plain[200:])
    assert (noted[CORNERS["top right"]] != plain[CORNERS["top right"]]).any()


def required(picture: NDArray[np.uint8], breast: Mask) -> NDArray[np.bool_]:
    """Return the pixels that a required caption changes."""
    written = picture.copy()
    caption = Caption(TEXT, breast, IDENTITY, is_required=True)
    write_caption(written, (picture.shape[0], picture.shape[1]), caption)
    return np.asarray((written != picture).any(axis=2))


def test_required_caption_covers_corner_with_least_breast() -> None:
    breast = breast_outside()
    breast[395:, :20] = False

    changed = required(flat(60), breast)

    assert changed[CORNERS["bottom left"]].all()
    assert not changed[:200].any()
    assert not changed[:, 200:].any()


def test_required_caption_prefers_free_corner() -> None:
    picture = flat()
    picture[10:20, 10:40] = 200

    changed = required(picture, breast_outside("top left", "bottom right"))

    assert changed[CORNERS["bottom right"]].any()
    assert not changed[:200].any()


def test_required_caption_shrinks_into_small_picture() -> None:
    picture = np.full((40, 30, 3), 60, np.uint8)

    changed = required(picture, np.ones((40, 30), np.bool_))

    assert changed[:, 0].any()
    assert changed[:, 29].any()
    assert not changed.all()
