"""The fitted pixels change only together with `IMAGING_VERSION`.

`fitted_pixels.npz` has them for one breast. After an intended change: raise the version, delete the
file, and run this module once, which writes it anew.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from service.imaging import IMAGING_VERSION, read
from service.records import FitParameters, Pixels

GOLDEN = Path(__file__).with_name("fitted_pixels.npz")
GRID = FitParameters(96, 64)
LEVELS = 4095
SYNTAXES = [
    ExplicitVRLittleEndian,
    RLELossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEG2000Lossless,
    HTJ2KLossless,
]
REMEDY = "raise IMAGING_VERSION, delete fitted_pixels.npz and run this module again"

WriteDicom = Callable[..., bytes]


def fitted(data: bytes) -> np.ndarray:
    """Return the image in levels and the mask of a file, [2, height, width]."""
    result = read(data, GRID).fitted
    return np.stack([np.rint(result.image[..., 0] * LEVELS), result.mask]).astype(np.uint16)


def windowed(write_dicom: WriteDicom, stored: Pixels, syntax: UID) -> bytes:
    return write_dicom(stored, syntax, BitsStored=12, WindowCenter=1800, WindowWidth=3000)


def negative(write_dicom: WriteDicom, stored: Pixels) -> bytes:
    inverted = np.ascontiguousarray(4095 - stored[:, ::-1])
    return write_dicom(inverted, BitsStored=12, PhotometricInterpretation="MONOCHROME1")


def png(stored: Pixels) -> bytes:
    return cv2.imencode(".png", stored * 16)[1].tobytes()


@pytest.fixture(scope="module")
def golden(write_dicom: WriteDicom, breast: Pixels) -> dict[str, np.ndarray]:
    """The pixels of this version by the kind of file."""
    if not GOLDEN.exists():
        np.savez_compressed(
            GOLDEN,
            version=IMAGING_VERSION,
            windowed=fitted(windowed(write_dicom, breast, ExplicitVRLittleEndian)),
            negative=fitted(negative(write_dicom, breast)),
            png=fitted(png(breast)),
        )
        pytest.fail(f"{GOLDEN} was written anew: commit it.")

    with np.load(GOLDEN) as file:
        return dict(file)


def assert_unchanged(data: bytes, expected: np.ndarray) -> None:
    """Allow one of 4095 levels, and one pixel of a thousand at the mask's edge."""
    actual = fitted(data)
    distance = np.abs(actual[0].astype(int) - expected[0])
    same_mask = actual[1] == expected[1]

    assert same_mask.mean() >= 0.999, REMEDY
    assert distance[same_mask].max() <= 1, REMEDY


def test_golden_pixels_are_of_this_version(golden: dict[str, np.ndarray]) -> None:
    assert golden["version"] == IMAGING_VERSION, REMEDY


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.keyword)
def test_pixels_of_dicom_keep_their_version(
    golden: dict[str, np.ndarray], write_dicom: WriteDicom, breast: Pixels, syntax: UID
) -> None:
    assert_unchanged(windowed(write_dicom, breast, syntax), golden["windowed"])


def test_pixels_of_negatives_keep_their_version(
    golden: dict[str, np.ndarray], write_dicom: WriteDicom, breast: Pixels
) -> None:
    assert_unchanged(negative(write_dicom, breast), golden["negative"])


def test_pixels_of_png_keep_their_version(golden: dict[str, np.ndarray], breast: Pixels) -> None:
    assert_unchanged(png(breast), golden["png"])
