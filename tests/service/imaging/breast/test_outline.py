"""The outline against shapes drawn by formula, with artefacts of films, scanners and patients."""

import cv2
import numpy as np
import pytest

from service.errors import NoBreast
from service.imaging.breast.border import within_border
from service.imaging.breast.outline import find_breast
from tests.support.breast_shapes import (
    COLUMNS,
    ROWS,
    WHITE,
    drawn,
    ellipse,
    half_ellipse,
    overlap,
    textured,
)


def test_label_touching_the_breast_is_removed() -> None:
    truth = half_ellipse()
    pixels = textured(truth)
    label = drawn(truth.shape, [(160, 80), (205, 90), (195, 135), (150, 125)])
    letters = cv2.putText(
        np.zeros(truth.shape, np.uint8), "ML", (160, 117), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 1, 2
    )

    assert (label & truth).sum() > 300

    pixels[label] = 0.97 * WHITE
    pixels[letters.astype(bool)] = 0.3 * WHITE
    breast = find_breast(pixels).mask

    assert (breast & label).sum() < 0.05 * label.sum()
    assert overlap(breast, truth & ~label) > 0.98


def test_scanner_edges_touching_the_breast_are_removed() -> None:
    """The edges are not parallel to the picture's sides."""
    truth = half_ellipse(depth=0.97)
    pixels = textured(truth)
    edges = drawn(truth.shape, [(372, 0), (399, 0), (399, 499), (392, 499)])
    edges |= drawn(truth.shape, [(0, 0), (399, 0), (399, 8), (0, 20)])
    edges |= drawn(truth.shape, [(0, 488), (399, 470), (399, 499), (0, 499)])

    assert cv2.connectedComponents((edges | truth).astype(np.uint8))[0] == 2

    pixels[edges] = WHITE
    breast = find_breast(pixels).mask

    assert overlap(breast, truth & ~edges) > 0.97


@pytest.mark.parametrize("reach", [60, 100, 140])
def test_implant_and_tissue_around_it_are_one_breast(reach: int) -> None:
    truth = half_ellipse(depth=0.8)
    pixels = textured(truth, 0.15)
    pixels[ellipse(truth.shape, (60, 250), (reach, reach)) & truth] = 0.98 * WHITE

    assert overlap(find_breast(pixels).mask, truth) > 0.98


def test_glaring_muscle_is_part_of_the_breast() -> None:
    """The muscle lies in the corner of the picture."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    bulge = np.sin(np.pi * np.clip(y / 420, 0, 1)) ** 2
    truth = (x < 0.25 * COLUMNS + 0.3 * COLUMNS * bulge) & (y < 420)
    pixels = textured(truth)
    ramp = np.clip(1.2 - np.hypot(x / 110, y / 230), 0, 1) * 65000
    pixels = np.maximum(pixels, np.where(truth, ramp, 0)).astype(np.uint16)

    beside_air = ((0, 0), (60, 0))
    breast = find_breast(np.pad(pixels, beside_air)).mask

    assert overlap(breast, np.pad(truth, beside_air)) > 0.97


def test_fat_around_dense_gland_is_part_of_breast() -> None:
    """The breast is cut off at three sides."""
    truth = ~drawn((ROWS, COLUMNS), [(340, 0), (399, 0), (399, 110)])
    pixels = textured(truth, 0.2)
    gland = ellipse(truth.shape, (220, 250), (150, 150))
    pixels[gland] = np.clip(pixels[gland] * 4.0, 0, WHITE)

    assert overlap(find_breast(pixels).mask, truth) > 0.97


def test_fog_of_a_narrow_film_is_not_flooded() -> None:
    """The film is narrower than the picture."""
    truth = np.pad(half_ellipse(ROWS, 260, depth=0.8), ((0, 0), (150, 200)))
    fog = 0.025 + 0.02 * np.linspace(0, 1, ROWS)[:, None] * np.ones(truth.shape)
    fog[:, :150] = fog[:, 410:] = 0
    pixels = np.maximum(textured(truth, 0.6), (WHITE * fog).astype(np.uint16))

    assert overlap(find_breast(pixels).mask, truth) > 0.97


@pytest.mark.parametrize("grey", [0.2, 0.6])
def test_negative_is_refused(grey: float) -> None:
    with pytest.raises(NoBreast, match="is inverted"):
        find_breast(WHITE - textured(half_ellipse(), grey))


@pytest.mark.parametrize("height", [0.3, 0.6])
def test_breast_may_fill_all_but_a_corner(height: float) -> None:
    truth = ~drawn((ROWS, COLUMNS), [(200, 0), (399, 0), (399, height * ROWS)])
    assert overlap(find_breast(textured(truth)).mask, truth) > 0.98


def test_entirely_white_breast_is_not_a_negative() -> None:
    truth = half_ellipse()
    assert overlap(find_breast(truth * np.uint16(WHITE)).mask, truth) > 0.98


def test_part_attached_by_a_thin_neck_is_removed() -> None:
    truth = half_ellipse()
    belly = drawn(truth.shape, [(0, 445), (4, 449), (60, 499), (0, 499)])

    assert overlap(find_breast(textured(truth | belly)).mask, truth) > 0.98


@pytest.mark.parametrize("ripple", [0, 500])
def test_even_breast_is_neither_border_nor_label(ripple: int) -> None:
    y, x = np.mgrid[:640, :480]
    truth = np.hypot(x / 298, (y - 320) / 269) < 1
    grey = 8_000 + ripple * np.sin(x / 9) * np.cos(y / 13)
    content = np.where(truth, grey, 0)[51:589, :298].astype(np.uint16)

    box = within_border(content)

    assert (box.left, box.right) == (0, 298)
    assert find_breast(content).mask.mean() == pytest.approx(truth[51:589, :298].mean(), abs=0.02)
