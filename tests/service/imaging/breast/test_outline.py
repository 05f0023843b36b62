"""The outline against shapes drawn by formula, with artefacts of films, scanners and patients."""

import cv2
import numpy as np
import pytest

from service.errors import NoBreast
from service.imaging.breast.border import within_border
from service.imaging.breast.outline import find_breast
from service.records import Mask, Pixels

_ROWS = 500
_COLUMNS = 400
_WHITE = 65535


def _half_ellipse(rows: int = _ROWS, columns: int = _COLUMNS, *, depth: float = 0.6) -> Mask:
    """A breast with its chest wall at the left edge. Its height is 0.8 of the picture's."""
    y, x = np.mgrid[:rows, :columns]
    inside: Mask = np.hypot((y - rows / 2) / (0.4 * rows), x / (depth * columns)) < 1
    return inside


def _textured(inside: Mask, grey: float = 0.35) -> Pixels:
    """Tissue of that grey, darker towards the skin, on air with a little noise."""
    rng = np.random.default_rng(5)
    depth = cv2.distanceTransform(np.pad(inside, 1, mode="edge").astype(np.uint8), cv2.DIST_L2, 5)[
        1:-1, 1:-1
    ]
    tissue = grey * (0.4 + 0.6 * np.minimum(depth / 30, 1)) + 0.03 * cv2.GaussianBlur(
        rng.normal(size=depth.shape), (0, 0), 2
    )
    noise = 0.002 * rng.normal(size=depth.shape)
    return (_WHITE * np.clip(np.where(inside, tissue, 0) + noise, 0, 1)).astype(np.uint16)


def _drawn(shape: tuple[int, int], polygon: list[tuple[float, float]]) -> Mask:
    canvas = np.zeros(shape, np.uint8)
    cv2.fillPoly(canvas, [np.array(polygon).astype(np.int32)], 1)
    return canvas.astype(bool)


def _ellipse(shape: tuple[int, int], centre: tuple[int, int], axes: tuple[int, int]) -> Mask:
    return cv2.ellipse(np.zeros(shape, np.uint8), centre, axes, 0, 0, 360, 1, cv2.FILLED).astype(
        bool
    )


def _overlap(breast: Mask, truth: Mask) -> float:
    """The Dice coefficient on the grid of the outline."""
    scaled = cv2.resize(
        truth.astype(np.uint8), breast.shape[::-1], interpolation=cv2.INTER_AREA
    ).astype(bool)
    return float(2 * (breast & scaled).sum() / (breast.sum() + scaled.sum()))


def test_label_touching_the_breast_is_removed() -> None:
    truth = _half_ellipse()
    pixels = _textured(truth)
    label = _drawn(truth.shape, [(160, 80), (205, 90), (195, 135), (150, 125)])
    letters = cv2.putText(
        np.zeros(truth.shape, np.uint8), "ML", (160, 117), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 1, 2
    )

    assert (label & truth).sum() > 300

    pixels[label] = 0.97 * _WHITE
    pixels[letters.astype(bool)] = 0.3 * _WHITE
    breast = find_breast(pixels).mask

    assert (breast & label).sum() < 0.05 * label.sum()
    assert _overlap(breast, truth & ~label) > 0.98


def test_scanner_edges_touching_the_breast_are_removed() -> None:
    """The edges are not parallel to the picture's sides."""
    truth = _half_ellipse(depth=0.97)
    pixels = _textured(truth)
    edges = _drawn(truth.shape, [(372, 0), (399, 0), (399, 499), (392, 499)])
    edges |= _drawn(truth.shape, [(0, 0), (399, 0), (399, 8), (0, 20)])
    edges |= _drawn(truth.shape, [(0, 488), (399, 470), (399, 499), (0, 499)])

    assert cv2.connectedComponents((edges | truth).astype(np.uint8))[0] == 2

    pixels[edges] = _WHITE
    breast = find_breast(pixels).mask

    assert _overlap(breast, truth & ~edges) > 0.97


@pytest.mark.parametrize("reach", [60, 100, 140])
def test_implant_and_tissue_around_it_are_one_breast(reach: int) -> None:
    truth = _half_ellipse(depth=0.8)
    pixels = _textured(truth, 0.15)
    pixels[_ellipse(truth.shape, (60, 250), (reach, reach)) & truth] = 0.98 * _WHITE

    assert _overlap(find_breast(pixels).mask, truth) > 0.98


def test_glaring_muscle_is_part_of_the_breast() -> None:
    """The muscle lies in the corner of the picture."""
    y, x = np.mgrid[:_ROWS, :_COLUMNS]
    bulge = np.sin(np.pi * np.clip(y / 420, 0, 1)) ** 2
    truth = (x < 0.25 * _COLUMNS + 0.3 * _COLUMNS * bulge) & (y < 420)
    pixels = _textured(truth)
    ramp = np.clip(1.2 - np.hypot(x / 110, y / 230), 0, 1) * 65000
    pixels = np.maximum(pixels, np.where(truth, ramp, 0)).astype(np.uint16)

    beside_air = ((0, 0), (60, 0))
    breast = find_breast(np.pad(pixels, beside_air)).mask

    assert _overlap(breast, np.pad(truth, beside_air)) > 0.97


def test_fat_around_dense_gland_is_part_of_breast() -> None:
    """The breast is cut off at three sides."""
    truth = ~_drawn((_ROWS, _COLUMNS), [(340, 0), (399, 0), (399, 110)])
    pixels = _textured(truth, 0.2)
    gland = _ellipse(truth.shape, (220, 250), (150, 150))
    pixels[gland] = np.clip(pixels[gland] * 4.0, 0, _WHITE)

    assert _overlap(find_breast(pixels).mask, truth) > 0.97


def test_fog_of_a_narrow_film_is_not_flooded() -> None:
    """The film is narrower than the picture."""
    truth = np.pad(_half_ellipse(_ROWS, 260, depth=0.8), ((0, 0), (150, 200)))
    fog = 0.025 + 0.02 * np.linspace(0, 1, _ROWS)[:, None] * np.ones(truth.shape)
    fog[:, :150] = fog[:, 410:] = 0
    pixels = np.maximum(_textured(truth, 0.6), (_WHITE * fog).astype(np.uint16))

    assert _overlap(find_breast(pixels).mask, truth) > 0.97


@pytest.mark.parametrize("grey", [0.2, 0.6])
def test_negative_is_refused(grey: float) -> None:
    with pytest.raises(NoBreast, match="is inverted"):
        find_breast(_WHITE - _textured(_half_ellipse(), grey))


@pytest.mark.parametrize("height", [0.3, 0.6])
def test_breast_may_fill_all_but_a_corner(height: float) -> None:
    truth = ~_drawn((_ROWS, _COLUMNS), [(200, 0), (399, 0), (399, height * _ROWS)])
    assert _overlap(find_breast(_textured(truth)).mask, truth) > 0.98


def test_entirely_white_breast_is_not_a_negative() -> None:
    truth = _half_ellipse()
    assert _overlap(find_breast(truth * np.uint16(_WHITE)).mask, truth) > 0.98


def test_part_attached_by_a_thin_neck_is_removed() -> None:
    truth = _half_ellipse()
    belly = _drawn(truth.shape, [(0, 445), (4, 449), (60, 499), (0, 499)])

    assert _overlap(find_breast(_textured(truth | belly)).mask, truth) > 0.98


@pytest.mark.parametrize("ripple", [0, 500])
def test_even_breast_is_neither_border_nor_label(ripple: int) -> None:
    y, x = np.mgrid[:640, :480]
    truth = np.hypot(x / 298, (y - 320) / 269) < 1
    grey = 8_000 + ripple * np.sin(x / 9) * np.cos(y / 13)
    content = np.where(truth, grey, 0)[51:589, :298].astype(np.uint16)

    box = within_border(content)

    assert (box.left, box.right) == (0, 298)
    assert find_breast(content).mask.mean() == pytest.approx(truth[51:589, :298].mean(), abs=0.02)
