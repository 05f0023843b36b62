from dataclasses import replace
from io import BytesIO

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.pixels.processing import apply_voi_lut

from service.imaging import decode
from service.records import Laterality
from training.phantoms import (
    VIEWS,
    Acquisition,
    Detector,
    PhantomIdentity,
    PhantomImage,
    PhantomWindow,
    render_view,
    to_dicom,
    to_dicom_bytes,
)
from training.phantoms.anatomy import View
from training.phantoms.cohort import MACHINES, Machine

ACQUISITIONS = {
    "full range": Acquisition(),
    "no window": Acquisition(windows=()),
    "16 bits": Acquisition(bits=16, windows=(PhantomWindow(20000, 30000), PhantomWindow(1, 1))),
    "sigmoid": Acquisition(windows=(PhantomWindow(2047, 1000, "SIGMOID"),)),
}


@pytest.fixture(scope="module")
def image() -> PhantomImage:
    return render_view(
        np.random.default_rng(0), laterality="R", view="MLO", detector=Detector(160, 120)
    )


def read(data: bytes) -> pydicom.FileDataset:
    return pydicom.dcmread(BytesIO(data))


def shown(dataset: pydicom.Dataset, acquisition: Acquisition) -> NDArray[np.float64]:
    """Return grey, 0..1, by pydicom's window, before the photometric interpretation is applied."""
    windowed = (
        apply_voi_lut(dataset.pixel_array, dataset, index=0)
        if acquisition.windows
        else dataset.pixel_array
    )
    return np.asarray(windowed / (2**acquisition.bits - 1), np.float64)


@pytest.mark.parametrize("acquisition", ACQUISITIONS.values(), ids=ACQUISITIONS)
def test_first_window_shows_image_as_rendered(
    image: PhantomImage, acquisition: Acquisition
) -> None:
    displayed = shown(to_dicom(image, acquisition), acquisition)

    np.testing.assert_allclose(displayed, image.pixels / 65535, atol=0.0011)


@pytest.mark.parametrize("acquisition", ACQUISITIONS.values(), ids=ACQUISITIONS)
def test_monochrome1_twin_shows_the_same_image(
    image: PhantomImage, acquisition: Acquisition
) -> None:
    """Its stored values are inverted over the full stored range."""
    inverted = replace(acquisition, photometric="MONOCHROME1")

    one = to_dicom(image, inverted)
    two = to_dicom(image, acquisition)

    assert (one.PhotometricInterpretation, two.PhotometricInterpretation) == (
        "MONOCHROME1",
        "MONOCHROME2",
    )

    total = one.pixel_array.astype(int) + two.pixel_array
    assert (total == 2**acquisition.bits - 1).all()
    np.testing.assert_allclose(1 - shown(one, inverted), shown(two, acquisition), atol=1e-9)


@pytest.mark.parametrize(
    "machine", MACHINES, ids=[machine.acquisition.model for machine in MACHINES]
)
def test_service_reads_every_machine_as_rendered(image: PhantomImage, machine: Machine) -> None:
    acquisition = machine.acquisition

    mammogram = decode(to_dicom_bytes(image, acquisition))

    np.testing.assert_allclose(mammogram.pixels / 65535, image.pixels / 65535, atol=0.0011)
    assert (mammogram.facts.laterality, mammogram.facts.view) == ("R", "MLO")
    assert mammogram.facts.bits == acquisition.bits


@pytest.mark.parametrize("bits", [12, 16])
def test_jpeg2000_is_lossless(image: PhantomImage, bits: int) -> None:
    plain = Acquisition(bits=bits)  # type: ignore[arg-type]
    compressed = replace(plain, transfer_syntax="jpeg2000")

    dataset = read(to_dicom_bytes(image, compressed))

    assert dataset.file_meta.TransferSyntaxUID == pydicom.uid.JPEG2000Lossless
    assert len(dataset.PixelData) < image.pixels.nbytes
    np.testing.assert_array_equal(
        decode(to_dicom_bytes(image, compressed)).pixels,
        decode(to_dicom_bytes(image, plain)).pixels,
    )


@pytest.mark.parametrize(
    ("laterality", "view", "orientation"),
    [
        ("L", "CC", ["A", "R"]),
        ("R", "CC", ["P", "L"]),
        ("L", "MLO", ["A", "FR"]),
        ("R", "MLO", ["P", "FL"]),
    ],
)
def test_header_describes_the_image(
    laterality: Laterality, view: View, orientation: list[str]
) -> None:
    rng = np.random.default_rng(1)
    image = render_view(rng, laterality=laterality, view=view, detector=Detector(290, 200))

    dataset = read(
        to_dicom_bytes(image, identity=PhantomIdentity(patient_id=7, image_id=8, age=61))
    )

    assert dataset.SOPClassUID == pydicom.uid.DigitalMammographyXRayImageStorageForPresentation
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
    assert (dataset.Modality, dataset.PresentationIntentType) == ("MG", "FOR PRESENTATION")
    assert (dataset.ImageLaterality, dataset.ViewPosition, dataset.BurnedInAnnotation) == (
        laterality,
        view,
        "NO",
    )
    assert list(dataset.PatientOrientation) == orientation
    assert (dataset.Rows, dataset.Columns) == (290, 200)
    assert list(dataset.ImagerPixelSpacing) == [1.0, 1.0]
    assert (dataset.PatientID, dataset.PatientAge) == ("7", "061Y")


def test_views_of_an_exam_have_own_series() -> None:
    """They share the study, and the elements of a series are the view's."""
    exam = [
        to_dicom(
            render_view(
                np.random.default_rng(2), laterality=side, view=view, detector=Detector(40, 30)
            )
        )
        for side, view in VIEWS
    ]

    assert len({dataset.StudyInstanceUID for dataset in exam}) == 1
    assert len({dataset.SeriesInstanceUID for dataset in exam}) == 4
    assert [dataset.SeriesNumber for dataset in exam] == [1, 2, 3, 4]
    assert [dataset.SeriesDescription for dataset in exam] == ["L CC", "L MLO", "R CC", "R MLO"]


def test_lossy_file_names_method_and_ratio(image: PhantomImage) -> None:
    dataset = to_dicom(image, Acquisition(transfer_syntax="jpeg2000-lossy"))

    assert dataset.LossyImageCompressionMethod == "ISO_15444_1"
    assert dataset.LossyImageCompressionRatio == pytest.approx(
        160 * 120 * 2 / len(dataset.PixelData), abs=0.01
    )


def test_magnification_is_the_ratio_of_distances(image: PhantomImage) -> None:
    """Source to detector over source to support (PS3.3 C.8.11.5)."""
    dataset = to_dicom(image)

    assert dataset.EstimatedRadiographicMagnificationFactor == pytest.approx(
        dataset.DistanceSourceToDetector / dataset.DistanceSourceToPatient
    )


def test_images_share_a_study_within_one_patient_only() -> None:
    first = PhantomIdentity(1, 1)
    second = PhantomIdentity(1, 2)
    other = PhantomIdentity(2, 1)

    assert first.uid("study") == second.uid("study") != other.uid("study")
    assert first.uid("image", 1) != second.uid("image", 2) != other.uid("image", 1)


def test_same_phantom_gives_same_bytes(image: PhantomImage) -> None:
    assert to_dicom_bytes(image) == to_dicom_bytes(image)
