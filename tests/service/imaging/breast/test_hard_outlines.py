"""Outlines that are hard to draw, against shapes drawn by formula, and the warnings about them."""

import cv2
import numpy as np
import pytest

from service.errors import NoBreast
from service.imaging import fit
from service.imaging.breast.outline import find_breast
from service.records import FitParameters, Mask, Pixels
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

_GRID = FitParameters(256, 192)


def _codes(pixels: Pixels) -> list[str]:
    return [warning.code for warning in fit(pixels, _GRID).warnings]


def _with_arm(truth: Mask) -> tuple[Pixels, Mask]:
    """A breast, and an arm that reaches from a corner of the picture to its skin."""
    arm = drawn(truth.shape, [(399, 0), (399, 130), (170, 160), (170, 90), (300, 0)])
    return textured(truth | arm), truth | arm


def test_dim_fat_around_gland_is_in_outline() -> None:
    truth = half_ellipse()
    pixels = textured(truth, 0.06)
    gland = ellipse(truth.shape, (90, 250), (110, 80)) & truth
    pixels[gland] = np.clip(pixels[gland] * 15.0, 0, WHITE)

    assert overlap(find_breast(pixels).mask, truth) > 0.97


@pytest.mark.parametrize(("at_chest_wall", "at_nipple"), [(0.06, 0.3), (0.28, 0.1)])
def test_sloping_fog_hides_neither_outline_nor_side(at_chest_wall: float, at_nipple: float) -> None:
    truth = half_ellipse()
    veil = np.linspace(at_chest_wall, at_nipple, COLUMNS)[None]
    grain = 0.004 * np.random.default_rng(1).normal(size=truth.shape)
    foggy = textured(truth, 0.4) * (1 - veil) + WHITE * (veil + grain)

    fitted = fit(np.clip(foggy, 0, WHITE).astype(np.uint16), _GRID)

    assert fitted.side == "left"
    assert overlap(fitted.breast, truth) > 0.98


@pytest.mark.parametrize("lean", [-15, 0, 15])
def test_tape_up_to_the_nipple_is_removed(lean: int) -> None:
    truth = half_ellipse()
    tape = drawn(truth.shape, [(236, 0), (276, 0), (276 + lean, 499), (236 + lean, 499)])
    pixels = textured(truth)
    pixels[tape] = 0.25 * WHITE

    assert overlap(find_breast(pixels).mask, truth & ~tape) > 0.97


def test_breast_beside_straight_air_keeps_its_area() -> None:
    """A straight edge alone makes no strip: most of the breast lies on its other side."""
    truth = half_ellipse() & (np.arange(COLUMNS) < 180)

    assert overlap(find_breast(textured(truth)).mask, truth) > 0.98


def test_axilla_behind_a_narrow_neck_is_kept() -> None:
    fold = drawn((ROWS, COLUMNS), [(5, 150), (399, 140), (399, 175), (5, 165)])
    truth = half_ellipse() & ~fold

    assert overlap(find_breast(textured(truth)).mask, truth) > 0.97


def test_glaring_skin_and_nipple_are_kept() -> None:
    truth = half_ellipse()
    pixels = textured(truth, 0.2)
    inner = cv2.erode(np.pad(truth, 1, mode="edge").astype(np.uint8), np.ones((15, 15)))
    pixels[truth & (inner[1:-1, 1:-1] == 0)] = 0.98 * WHITE
    pixels[ellipse(truth.shape, (230, 250), (22, 22)) & truth] = 0.98 * WHITE

    assert overlap(find_breast(pixels).mask, truth) > 0.98


def test_glaring_nipple_alone_is_no_label() -> None:
    truth = half_ellipse()
    pixels = textured(truth, 0.2)
    nipple = ellipse(truth.shape, (224, 250), (18, 18)) & truth
    pixels[nipple] = 0.98 * WHITE

    assert find_breast(pixels).mask[nipple].all()


@pytest.mark.parametrize("mirrored", [False, True])
def test_sound_breast_has_no_warning(*, mirrored: bool) -> None:
    pixels = textured(half_ellipse())

    assert _codes(np.ascontiguousarray(pixels[:, ::-1]) if mirrored else pixels) == []


@pytest.mark.parametrize("mirrored", [False, True])
def test_arm_makes_the_outline_uncertain(*, mirrored: bool) -> None:
    pixels, whole = _with_arm(half_ellipse())

    assert overlap(find_breast(pixels).mask, whole) > 0.97
    assert _codes(pixels[:, ::-1].copy() if mirrored else pixels) == ["outline-uncertain"]


def test_breast_that_fills_the_picture_is_uncertain() -> None:
    truth = ~drawn((ROWS, COLUMNS), [(300, 0), (399, 0), (399, 90)])

    assert "outline-uncertain" in _codes(textured(truth))


@pytest.mark.parametrize("turns", [1, 3])
def test_rotated_breast_has_a_warning(turns: int) -> None:
    pixels = np.ascontiguousarray(np.rot90(textured(half_ellipse()), turns))

    assert _codes(pixels) == ["rotated"]


def test_round_field_shows_no_chest_wall() -> None:
    field = ellipse((ROWS, COLUMNS), (200, 250), (150, 150))

    assert _codes(textured(field)) == ["chest-wall-unseen"]


def test_small_pictures_of_anything_are_fitted_or_refused() -> None:
    rng = np.random.default_rng(11)
    refused = 0
    for _ in range(200):
        rows, columns = (int(edge) for edge in np.exp(rng.uniform(0, 5, 2)))
        pixels = rng.integers(0, 300, (rows, columns)).astype(np.uint16)
        centre = int(rng.integers(columns)), int(rng.integers(rows))
        axes = int(rng.integers(1, columns + 2)), int(rng.integers(1, rows + 2))
        pixels[ellipse((rows, columns), centre, axes)] += np.uint16(rng.integers(60_000))

        try:
            fitted = fit(pixels, _GRID)
        except NoBreast:
            refused += 1
        else:
            assert fitted.mask.any()

    assert 0 < refused < 200
