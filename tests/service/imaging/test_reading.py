"""Reading at full and at reduced resolution: the same model input, at the same position."""

import math
from collections.abc import Callable
from unittest.mock import Mock

import cv2
import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from openjpeg.utils import encode_array
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from service.imaging import Limits, PictureTask, decode, read
from service.records import FitParameters, Pixels

WriteDicom = Callable[..., bytes]

GRID = FitParameters(128, 96)
WINDOW = {"BitsStored": 12, "WindowCenter": 2048, "WindowWidth": 4096}
REDUCED = [JPEG2000Lossless, HTJ2KLossless]
LOSSLESS = [JPEGLosslessSV1, JPEGLSLossless, RLELossless, *REDUCED]


@pytest.fixture(scope="module")
def large(breast: Pixels) -> Pixels:
    """The breast with pixel noise, on a matrix that is reduced by 4 but not divisible by 4."""
    grown = cv2.resize(breast, (1501, 2098), interpolation=cv2.INTER_CUBIC).clip(0, 4095)
    noise = np.random.default_rng(2).normal(0, 25, grown.shape) * (grown > 50)
    return np.asarray((grown + noise).clip(0, 4095), np.uint16)


def spot(shape: tuple[int, int], x: float, y: float) -> NDArray[np.float64]:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.asarray(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 30.0**2)))


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.keyword)
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_every_lossless_syntax_gives_the_same_input(
    write_dicom: WriteDicom, large: Pixels, syntax: UID, mirrored: bool, photometric: str
) -> None:
    shown = np.fliplr(large) if mirrored else large
    stored = np.ascontiguousarray(shown if photometric == "MONOCHROME2" else 4095 - shown)
    described = {"PhotometricInterpretation": photometric, **WINDOW, "WindowCenter": 2048}
    plain = write_dicom(stored, ExplicitVRLittleEndian, **described)
    coded = write_dicom(stored, syntax, **described)

    expected = read(plain, GRID)
    actual = read(coded, GRID)

    assert expected.fitted.reduction == actual.fitted.reduction == 2
    assert np.array_equal(actual.fitted.image, expected.fitted.image)
    assert np.array_equal(actual.fitted.mask, expected.fitted.mask)
    assert actual.fitted.to_source == expected.fitted.to_source


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEG2000Lossless])
def test_resolution_is_sufficient_without_the_border(
    write_dicom: WriteDicom, large: Pixels, syntax: UID
) -> None:
    bordered = np.pad(large, ((2100, 0), (1500, 0)))

    fitted = read(write_dicom(bordered, syntax, **WINDOW), GRID).fitted

    # With its border, the picture would be reduced by 4.
    assert fitted.reduction == 2


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, JPEGLosslessSV1, *REDUCED], ids=lambda syntax: syntax.keyword
)
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(("x", "y"), [(350, 900), (801, 1203)])
def test_lesion_maps_back_to_its_source_pixel(
    write_dicom: WriteDicom, large: Pixels, syntax: UID, mirrored: bool, x: int, y: int
) -> None:
    marked = np.where(large > 50, 700 + 3300 * spot(large.shape, x, y), 0).astype(np.uint16)
    if mirrored:
        marked = np.ascontiguousarray(np.fliplr(marked))
        x = large.shape[1] - 1 - x

    fitted = read(
        write_dicom(marked, syntax, **WINDOW), FitParameters(512, 384, white_percentile=100)
    ).fitted
    weights = np.clip(fitted.image[..., 0] - 0.4, 0, None)
    rows, columns = np.mgrid[:512, :384]
    lesion = fitted.to_source.apply(
        float(np.average(columns, weights=weights)), float(np.average(rows, weights=weights))
    )

    assert lesion == pytest.approx((x, y), abs=1)


def test_outline_lies_on_the_breast_in_the_source(write_dicom: WriteDicom, large: Pixels) -> None:
    for syntax in (ExplicitVRLittleEndian, JPEG2000Lossless):
        for stored in (large, np.ascontiguousarray(np.fliplr(large))):
            fitted = read(write_dicom(stored, syntax, **WINDOW), GRID).fitted
            matrix = np.array(fitted.breast_to_source.matrix())
            drawn = cv2.warpAffine(
                fitted.breast.astype(np.uint8), matrix, stored.shape[::-1], flags=cv2.INTER_NEAREST
            )
            truth = cv2.medianBlur(stored, 5) > 50
            assert 2 * (drawn.astype(bool) & truth).sum() / (drawn.sum() + truth.sum()) > 0.98


def test_small_breast_is_read_in_full_resolution(write_dicom: WriteDicom, breast: Pixels) -> None:
    frame = np.zeros((1600, 1200), np.uint16)
    frame[900:1320, :300] = breast
    frame[0, 0] = frame[-1, -1] = 1
    grid = FitParameters(400, 300)

    coded = read(write_dicom(frame, JPEG2000Lossless, **WINDOW), grid).fitted
    plain = read(write_dicom(frame, **WINDOW), grid).fitted

    assert np.array_equal(coded.image, plain.image)
    assert coded.to_source == plain.to_source


def _coded(stored: Pixels, bits: int) -> bytes:
    return encapsulate([encode_array(stored, bits_stored=bits, photometric_interpretation=2)])


@pytest.mark.parametrize(
    "elements", [{"PixelPaddingValue": 4000}, {"add": (0x60000102, "US", 12)}], ids=str
)
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEG2000Lossless])
def test_images_unfit_for_averaging_are_decoded_fully(
    write_dicom: WriteDicom, large: Pixels, syntax: UID, elements: dict[str, object]
) -> None:
    data = write_dicom(large, syntax, BitsStored=12, **elements)
    assert decode(data, min_size=(256, 192)).pixels.shape == large.shape


def test_codestream_of_patterns_is_reduced_as_values(
    write_dicom: WriteDicom, large: Pixels
) -> None:
    """The codestream holds shifted or unsigned patterns, which its own filter must not average."""
    shifted = large << np.uint16(4)
    signed = large.view(np.int16) - 2048
    pattern = signed.view(np.uint16) & np.uint16(4095)
    described = {"syntax": JPEG2000Lossless, "BitsStored": 12}

    expected = decode(write_dicom(large, BitsStored=12), min_size=(256, 192)).pixels
    for data in (
        write_dicom(shifted, HighBit=15, PixelData=_coded(shifted, 16), **described),
        write_dicom(pattern, PixelRepresentation=1, PixelData=_coded(pattern, 12), **described),
    ):
        assert np.array_equal(decode(data, min_size=(256, 192)).pixels, expected)


def test_wavelet_overshoot_does_not_wrap_around(write_dicom: WriteDicom) -> None:
    stored = np.zeros((800, 600), np.uint16)
    # A codestream of 16 bits for 12 stored bits has room for values above white.
    stored[:, :300] = 4095
    stored[100:200, 280:300] = 0
    coded = encapsulate([encode_array(stored, bits_stored=16, photometric_interpretation=2)])

    pixels = decode(
        write_dicom(stored, JPEG2000Lossless, BitsStored=12, PixelData=coded), min_size=(200, 150)
    ).pixels

    assert pixels.shape == (200, 150)
    assert (pixels[60:, 10:65] > 60_000).all()
    assert (pixels[:, 80:] < 5_000).all()


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, JPEG2000Lossless], ids=lambda syntax: syntax.keyword
)
@pytest.mark.parametrize(
    ("edge", "shape"), [(525, (525, 376)), (1000, (1000, 715)), (math.inf, (2098, 1501))]
)
def test_picture_is_the_whole_mammogram_as_displayed(
    write_dicom: WriteDicom, large: Pixels, syntax: UID, edge: float, shape: tuple[int, int]
) -> None:
    data = write_dicom(large, syntax, **WINDOW)

    picture = read(data, GRID, edge).picture

    assert picture is not None
    assert picture.shape == shape

    expected = (
        cv2.resize(decode(data).pixels, shape[::-1], interpolation=cv2.INTER_AREA).astype(int) >> 8
    )
    difference = np.abs(picture.astype(int) - expected)

    assert difference.mean() < 1

    # A shift by one pixel is markedly worse.
    shifted = np.abs(np.roll(picture, 1, axis=1).astype(int) - expected)
    assert shifted.mean() > 2 * difference.mean()


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, ExplicitVRLittleEndian])
def test_picture_alone_is_that_of_a_reading(
    write_dicom: WriteDicom, large: Pixels, syntax: UID
) -> None:
    data = write_dicom(large, syntax, **WINDOW)

    picture = PictureTask()(data, Limits())

    np.testing.assert_array_equal(picture, read(data, GRID, math.inf).picture)


def test_no_picture_is_drawn_unless_requested(write_dicom: WriteDicom, breast: Pixels) -> None:
    assert read(write_dicom(breast, **WINDOW), GRID).picture is None


@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, JPEGLosslessSV1, JPEG2000Lossless, JPEG2000],
    ids=lambda syntax: syntax.keyword,
)
def test_picture_changes_nothing_in_the_fit(
    write_dicom: WriteDicom, large: Pixels, syntax: UID
) -> None:
    data = write_dicom(large, syntax, **WINDOW)
    plain = read(data, GRID).fitted

    for edge in (300, 1000, math.inf):
        fitted = read(data, GRID, edge).fitted
        assert np.array_equal(fitted.image, plain.image)
        assert np.array_equal(fitted.mask, plain.mask)
        assert (fitted.to_source, fitted.box) == (plain.to_source, plain.box)


def test_pixels_are_decoded_once_for_fit_and_picture(
    write_dicom: WriteDicom, large: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_dicom(large, JPEGLosslessSV1, **WINDOW)
    decode_jpeg = Mock(wraps=imagecodecs.jpeg8_decode)
    monkeypatch.setattr(imagecodecs, "jpeg8_decode", decode_jpeg)

    reading = read(data, GRID, math.inf)

    assert reading.fitted.reduction > 1
    assert reading.picture is not None
    assert decode_jpeg.call_count == 1
