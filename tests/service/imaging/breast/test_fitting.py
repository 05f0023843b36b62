from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from service.errors import NoBreast
from service.imaging import decode, fit
from service.records import FitParameters, Fitted, Mask, Pixels, Side

WriteDicom = Callable[..., bytes]

_GRID = FitParameters(height=256, width=160)


def _pad(pixels: Pixels, top: int, bottom: int, left: int, right: int) -> Pixels:
    return np.pad(pixels, ((top, bottom), (left, right)), constant_values=pixels.min())


def _ellipse(rows: int, columns: int) -> Mask:
    """A half ellipse, flat side on the left edge, 84 % of the image high and 65 % wide."""
    y, x = np.mgrid[:rows, :columns]
    inside: Mask = np.hypot((y - 0.47 * rows) / (0.42 * rows), x / (0.65 * columns)) < 1
    return inside


@cache
def _with_lesion(rows: int, columns: int, x: float, y: float) -> Pixels:
    """A uniform breast with one Gaussian spot, five times as bright, centred at that pixel."""
    grid_y, grid_x = np.mgrid[:rows, :columns]
    spot = np.exp(-((grid_x - x) ** 2 + (grid_y - y) ** 2) / (2 * (0.02 * rows) ** 2))
    pixels: Pixels = (_ellipse(rows, columns) * (10000 + 50000 * spot)).astype(np.uint16)
    return pixels


def _centre_of_brightest(fitted: Fitted) -> tuple[float, float]:
    weights = np.clip(fitted.image[..., 0] - 0.5, 0, None).astype(np.float64)
    y, x = np.indices(weights.shape)
    return float((weights * x).sum() / weights.sum()), float((weights * y).sum() / weights.sum())


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("border", [(0, 0, 0, 0), (40, 0, 0, 0), (0, 13, 57, 0), (5, 91, 3, 211)])
@pytest.mark.parametrize("matrix", [(600, 400), (517, 611), (1203, 900), (2300, 1500)])
@pytest.mark.parametrize("grid", [(256, 160), (512, 320), (128, 300), (1024, 832)])
def test_lesion_maps_back_to_its_source_pixel(
    side: Side, border: tuple[int, int, int, int], matrix: tuple[int, int], grid: tuple[int, int]
) -> None:
    rows, columns = matrix
    lesion_x = round(0.31 * columns)
    lesion_y = round(0.58 * rows)
    source = _with_lesion(rows, columns, lesion_x, lesion_y)
    if side == "right":
        source = np.fliplr(source)
        lesion_x = columns - 1 - lesion_x
    source = _pad(source, *border)

    fitted = fit(source, FitParameters(*grid, white_percentile=100))
    x, y = fitted.to_source.apply(*_centre_of_brightest(fitted))

    assert fitted.side == side
    assert abs(x - (lesion_x + border[2])) < 1
    assert abs(y - (lesion_y + border[0])) < 1


@pytest.mark.parametrize("matrix", [(420, 300), (1500, 1070), (2500, 1500)])
def test_mirrored_image_gives_identical_model_input(
    breast: Pixels, matrix: tuple[int, int]
) -> None:
    source = cv2.resize(breast, matrix[::-1]).astype(np.uint16)

    plain = fit(source, _GRID)
    mirrored = fit(np.fliplr(source), _GRID)

    assert (plain.side, mirrored.side) == ("left", "right")
    assert np.array_equal(plain.image, mirrored.image)
    assert np.array_equal(plain.mask, mirrored.mask)

    x, y = plain.to_source.apply(31, 77)
    assert mirrored.to_source.apply(31, 77) == pytest.approx((matrix[1] - 1 - x, y))
    assert mirrored.box.right == matrix[1] - plain.box.left
    assert mirrored.box.left == matrix[1] - plain.box.right


@pytest.mark.parametrize(
    "border", [(1, 0, 0, 0), (0, 333, 0, 0), (0, 0, 25, 0), (0, 0, 0, 777), (12, 34, 56, 78)]
)
def test_constant_border_changes_only_the_map_back(
    breast: Pixels, border: tuple[int, int, int, int]
) -> None:
    source = breast + np.uint16(700)

    plain = fit(source, _GRID)
    padded = fit(_pad(source, *border), _GRID)

    assert np.array_equal(plain.image, padded.image)
    assert np.array_equal(plain.mask, padded.mask)

    x, y = plain.to_source.apply(31, 77)
    assert padded.to_source.apply(31, 77) == pytest.approx((x + border[2], y + border[0]))
    assert (padded.box.left, padded.box.top) == (
        plain.box.left + border[2],
        plain.box.top + border[0],
    )


@pytest.mark.parametrize("grey", [4095, 65535, 300])
def test_border_of_any_grey_changes_only_the_map(breast: Pixels, grey: int) -> None:
    source = _in_full_frame(breast)
    within = np.pad(source, ((7, 0), (31, 60)), constant_values=grey)

    plain = fit(source, _GRID)
    padded = fit(np.pad(within, 9), _GRID)

    assert np.array_equal(plain.image, padded.image)

    x, y = plain.to_source.apply(31, 77)
    assert padded.to_source.apply(31, 77) == pytest.approx((x + 40, y + 16))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("border", [(0, 0, 0, 0), (5, 91, 3, 211)])
@pytest.mark.parametrize("matrix", [(420, 300), (2300, 1500)])
def test_breast_mask_lies_on_the_breast_in_source(
    side: Side, border: tuple[int, int, int, int], matrix: tuple[int, int]
) -> None:
    source = _with_lesion(*matrix, 50, 60)
    truth = _ellipse(*matrix)
    if side == "right":
        source = np.fliplr(source)
        truth = np.fliplr(truth)
    truth = np.pad(truth, (border[:2], border[2:]))

    fitted = fit(_pad(source, *border), _GRID)

    y, x = np.indices(fitted.breast.shape)
    source_x, source_y = fitted.breast_to_source.apply(x, y)  # type: ignore[arg-type]
    expected = truth[np.rint(source_y).astype(int), np.rint(source_x).astype(int)]

    assert (fitted.breast ^ expected).sum() < 0.01 * expected.sum()
    assert fitted.breast.shape[0] * fitted.breast_to_source.scale_y == pytest.approx(
        matrix[0] * 0.84, rel=0.02
    )


@pytest.mark.parametrize("side", ["left", "right"])
def test_chest_wall_is_at_the_straight_edge(breast: Pixels, side: Side) -> None:
    """The centre of mass lies on the other side."""
    below_breast = np.array([(20, 419), (25, 300), (220, 419)])
    above_nipple = np.array([(240, 0), (299, 0), (299, 120)])  # the nipple is cut off
    air = np.zeros((420, 300), np.uint8)
    cv2.fillPoly(air, [below_breast], 1)
    cv2.fillPoly(air, [above_nipple], 1)
    source = np.where(air, 0, breast.max() // 2 + breast // 8).astype(np.uint16)

    inside = air == 0
    x = np.arange(300)

    assert (inside * (x - 149.5)).sum() > 0
    assert inside[:, 0].sum() > inside[:, -1].sum()
    assert fit(source if side == "left" else np.fliplr(source), _GRID).side == side


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_monochrome1_twin_gives_identical_model_input(
    breast: Pixels, write_dicom: WriteDicom, function: str
) -> None:
    common = {"BitsStored": 12, "WindowWidth": 3001, "VOILUTFunction": function}
    mirrored = 4095 - 1700.5 + (function == "LINEAR")

    plain = decode(write_dicom(breast, WindowCenter=1700.5, **common))
    twin = decode(
        write_dicom(
            4095 - breast, WindowCenter=mirrored, PhotometricInterpretation="MONOCHROME1", **common
        )
    )

    assert np.array_equal(fit(plain.pixels, _GRID).image, fit(twin.pixels, _GRID).image)


def test_breast_is_left_aligned_and_vertically_centred(breast: Pixels) -> None:
    """Its aspect ratio is kept."""
    tall = fit(breast, FitParameters(100, 300))
    wide = fit(breast, FitParameters(400, 50))

    for fitted in (tall, wide):
        assert fitted.image.dtype == np.float32
        assert abs(fitted.to_source.scale_x / fitted.to_source.scale_y - 1) < 0.03
        assert fitted.mask[:, 0].any()
        rows = np.flatnonzero(fitted.mask.any(axis=1))
        assert abs(rows[0] - (len(fitted.mask) - 1 - rows[-1])) <= 2

    assert tall.image.shape == (100, 300, 1)
    assert not tall.mask[:, 80:].any()
    assert not wide.mask[:150].any()


def test_mask_includes_the_dim_periphery(breast: Pixels) -> None:
    y, x = np.mgrid[:420, :300]
    truth = np.hypot((y - 205) / 170, x / 210) < 1

    for factor in (1, 6):
        source = cv2.resize(
            breast, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST
        ).astype(np.uint16)

        fitted = fit(source, FitParameters(420, 300))

        # Draw the mask on the source's grid, at a factor of 1, and close the gaps of the rounding.
        drawn = np.zeros_like(truth)
        for row, column in np.argwhere(fitted.mask):
            source_x, source_y = fitted.to_source.apply(column, row)
            drawn_row = min(round((source_y + 0.5) / factor - 0.5), 419)
            drawn_column = round((source_x + 0.5) / factor - 0.5)
            drawn[drawn_row, drawn_column] = True
        drawn = cv2.morphologyEx(drawn.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3))).astype(
            bool
        )
        assert (drawn & truth).sum() / (drawn | truth).sum() > 0.97


def test_box_contains_the_breast_and_little_else(breast: Pixels) -> None:
    rows, columns = np.nonzero(_pad(breast, 30, 40, 50, 60))

    box = fit(_pad(breast, 30, 40, 50, 60), _GRID).box

    assert box.left <= columns.min() <= columns.max() < box.right
    assert box.top <= rows.min() <= rows.max() < box.bottom

    reach = 0.02 * box.height + 4
    assert columns.max() + reach >= box.right
    assert rows.min() - reach <= box.top


def test_white_is_the_percentile_inside_the_breast(breast: Pixels) -> None:
    median = fit(breast, FitParameters(420, 300, white_percentile=50))

    assert abs((median.image[median.mask] == 1).mean() - 0.5) < 0.01

    brightest = fit(breast, FitParameters(420, 300, white_percentile=100))

    assert brightest.image.max() == 1
    assert (brightest.image == 1).sum() == 1
    assert brightest.image.min() == 0


def _in_full_frame(breast: Pixels) -> Pixels:
    """The breast with two corners that are not quite black, so that no border is trimmed."""
    framed = breast.copy()
    framed[0, 0] = framed[-1, -1] = 1
    return framed


@pytest.mark.parametrize("side", ["left", "right"])
def test_marker_and_film_border_leave_no_trace(breast: Pixels, side: Side) -> None:
    breast = _in_full_frame(breast)
    marked = breast.copy()
    marked[_marker(breast.shape, 215, 40)] = 4095
    marked[:, 295:] = 4000
    marked[380:415, 230:280] = 3800

    if side == "right":
        breast = np.fliplr(breast)
        marked = np.fliplr(marked)

    clean = fit(breast, _GRID)
    dirty = fit(marked, _GRID)

    assert dirty.side == side
    assert (dirty.mask ^ clean.mask).mean() < 0.01
    assert np.abs(dirty.image - clean.image).mean() < 0.01

    outside = cv2.dilate(clean.mask.astype(np.uint8), np.ones((15, 15))) == 0
    assert not dirty.image[outside].any()


def test_film_fog_is_not_part_of_the_breast(breast: Pixels) -> None:
    breast = _in_full_frame(breast)
    fog = 220 + 40 * cv2.GaussianBlur(np.random.default_rng(1).normal(size=breast.shape), (0, 0), 2)
    foggy = np.maximum(breast, fog.astype(np.uint16))

    assert (fit(foggy, _GRID).mask ^ fit(breast, _GRID).mask).mean() < 0.03


def _noise(shape: tuple[int, int]) -> NDArray[np.uint16]:
    return np.random.default_rng(3).integers(0, 65536, shape).astype(np.uint16)


def _marker(shape: tuple[int, int], x: int, y: int) -> Mask:
    canvas = np.zeros(shape, np.uint8)
    cv2.putText(canvas, "L CC", (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 1, 2)
    return canvas.astype(bool)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((300, 200), np.uint16),
        np.full((300, 200), 40000, np.uint16),
        np.zeros((1, 1), np.uint16),
        np.eye(1, 300, dtype=np.uint16),
        _noise((40, 30)),
        _noise((300, 200)),
        _noise((2400, 1800)),
        _marker((600, 500), 380, 60) * np.uint16(60000),
    ],
    ids=[
        "black",
        "constant",
        "one pixel",
        "one bright pixel",
        "tiny noise",
        "noise",
        "large noise",
        "text",
    ],
)
def test_image_without_breast_is_refused(pixels: Pixels) -> None:
    with pytest.raises(NoBreast):
        fit(pixels, _GRID)


def test_fit_does_not_change_its_input(breast: Pixels) -> None:
    for source in (breast.copy(), np.fliplr(breast).copy()):
        before = source.copy()
        fit(source, _GRID)
        assert np.array_equal(source, before)
