"""The pixel spacing, and the plane in which it holds."""

from collections.abc import Callable

import pytest

from service.imaging import decode
from service.records import ImageFacts, Pixels

WriteDicom = Callable[..., bytes]
Facts = Callable[..., ImageFacts]

IMAGER = [0.09, 0.18]


@pytest.fixture
def facts(write_dicom: WriteDicom, breast: Pixels) -> Facts:
    return lambda **elements: decode(write_dicom(breast, BitsStored=12, **elements)).facts


@pytest.mark.parametrize(
    ("elements", "spacing", "plane"),
    [
        ({}, (0.09, 0.18), "detector"),
        ({"EstimatedRadiographicMagnificationFactor": 1.8}, (0.05, 0.1), "breast"),
        (
            {"DistanceSourceToDetector": 660, "DistanceSourceToPatient": 330},
            (0.045, 0.09),
            "breast",
        ),
        # The factor comes before the distances.
        (
            {
                "EstimatedRadiographicMagnificationFactor": 1.8,
                "DistanceSourceToDetector": 660,
                "DistanceSourceToPatient": 330,
            },
            (0.05, 0.1),
            "breast",
        ),
        # Impossible: smaller on the detector than in the breast, and far too large.
        ({"EstimatedRadiographicMagnificationFactor": 0.5}, (0.09, 0.18), "detector"),
        ({"EstimatedRadiographicMagnificationFactor": 40}, (0.09, 0.18), "detector"),
        (
            {"DistanceSourceToDetector": 660, "DistanceSourceToPatient": 0},
            (0.09, 0.18),
            "detector",
        ),
        # PS3.3 10.7.1.3: Pixel Spacing that differs from Imager Pixel Spacing is calibrated.
        ({"PixelSpacing": [0.08, 0.16]}, (0.08, 0.16), "breast"),
        ({"PixelSpacing": IMAGER}, (0.09, 0.18), "detector"),
        (
            {"PixelSpacing": IMAGER, "PixelSpacingCalibrationType": "FIDUCIAL"},
            (0.09, 0.18),
            "breast",
        ),
        (
            {"PixelSpacing": [0.08, 0.16], "EstimatedRadiographicMagnificationFactor": 1.8},
            (0.08, 0.16),
            "breast",
        ),
    ],
)
def test_spacing_holds_in_the_stated_plane(
    facts: Facts, elements: dict[str, object], spacing: tuple[float, float], plane: str
) -> None:
    image = facts(ImagerPixelSpacing=IMAGER, **elements)

    assert image.pixel_spacing_mm == pytest.approx(spacing)
    assert image.pixel_spacing_plane == plane


def test_pixel_spacing_alone_has_no_plane(facts: Facts) -> None:
    image = facts(PixelSpacing=[0.1, 0.1], EstimatedRadiographicMagnificationFactor=1.8)

    assert (image.pixel_spacing_mm, image.pixel_spacing_plane) == ((0.1, 0.1), None)


@pytest.mark.parametrize(
    "value", [b"0,07\\0,07 ", b"0.07mm\\0.07 ", b"0.07\\", b"1e99\\1e99 "], ids=repr
)
def test_unreadable_spacing_counts_as_missing(
    write_dicom: WriteDicom, breast: Pixels, value: bytes
) -> None:
    data = write_dicom(breast, BitsStored=12, ImagerPixelSpacing=["1.23456", "1.23456"])
    written = b"1.23456\\1.23456 "

    image = decode(data.replace(written, value.ljust(len(written)))).facts

    assert written in data
    assert (image.pixel_spacing_mm, image.pixel_spacing_plane) == (None, None)


def test_unreadable_magnification_counts_as_missing(
    write_dicom: WriteDicom, breast: Pixels
) -> None:
    data = write_dicom(
        breast,
        BitsStored=12,
        ImagerPixelSpacing=IMAGER,
        EstimatedRadiographicMagnificationFactor="1.80",
    )

    mammogram = decode(data.replace(b"1.80", b"1,80"))

    assert mammogram.facts.pixel_spacing_plane == "detector"
    assert "spot-view" not in [warning.code for warning in mammogram.warnings]
