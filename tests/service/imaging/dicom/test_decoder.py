import logging
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    BreastTomosynthesisImageStorage,
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalMammographyXRayImageStorageForProcessing,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)

from service.errors import (
    CorruptImage,
    ForProcessing,
    ImageError,
    NotAMammogram,
    SeveralFrames,
    Tomosynthesis,
    TooManyPixels,
    UnsupportedFormat,
    UnsupportedImage,
)
from service.imaging import Limits, decode
from service.records import Pixels

WriteDicom = Callable[..., bytes]


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian], ids=lambda syntax: syntax.keyword
)
def test_dataset_without_preamble_is_read(
    write_dicom: WriteDicom, breast: Pixels, syntax: UID
) -> None:
    bare = write_dicom(breast, syntax, preamble=False, BitsStored=12)

    assert bare[128:132] != b"DICM"
    assert np.array_equal(decode(bare).pixels, decode(write_dicom(breast, BitsStored=12)).pixels)


def test_identifier_is_plain_text(write_dicom: WriteDicom, breast: Pixels) -> None:
    """pydicom's type would quote an invalid one in a warning of the process that receives it."""
    facts = decode(write_dicom(breast)).facts

    assert type(facts.sop_instance_uid) is str


def test_bare_dataset_without_image_is_unsupported_format(
    write_dicom: WriteDicom, breast: Pixels
) -> None:
    """With a SOP class of the standard, it is a DICOM file."""
    with pytest.raises(UnsupportedFormat):
        decode(write_dicom(breast, preamble=False, Rows=None, SOPClassUID=None))

    with pytest.raises(CorruptImage, match="rows"):
        decode(write_dicom(breast, preamble=False, Rows=None))


def test_facts_match_the_header(write_dicom: WriteDicom, breast: Pixels) -> None:
    facts = decode(
        write_dicom(
            breast,
            BitsStored=12,
            Laterality="L",
            ImageLaterality="R",
            ViewPosition="MLO",
            ImagerPixelSpacing=[0.07, 0.08],
            WindowCenter=[2000, 1000],
            WindowWidth=[500, 400],
            VOILUTFunction="SIGMOID",
        )
    ).facts

    assert (facts.format, facts.rows, facts.columns, facts.bits) == ("dicom", 420, 300, 12)
    assert (facts.laterality, facts.view, facts.pixel_spacing_mm) == ("R", "MLO", (0.07, 0.08))
    assert (facts.photometric, facts.window) == ("MONOCHROME2", "1 of 2, SIGMOID")
    assert facts.sop_instance_uid == "1.2.840.99999.1"


def test_missing_or_invalid_elements_give_no_facts(write_dicom: WriteDicom, breast: Pixels) -> None:
    facts = decode(
        write_dicom(
            breast,
            SOPInstanceUID=None,
            ViewPosition="DOE",
            ImageLaterality="B",
            ImagerPixelSpacing=[0, 0],
        )
    ).facts

    assert (facts.laterality, facts.view, facts.pixel_spacing_mm) == (None, None, None)
    assert (facts.window, facts.sop_instance_uid) == (None, None)


def test_missing_modality_and_class_give_a_warning(write_dicom: WriteDicom, breast: Pixels) -> None:
    mammogram = decode(
        write_dicom(breast, Modality=None, SOPClassUID=None, WindowCenter=2048, WindowWidth=4096)
    )
    assert [warning.code for warning in mammogram.warnings] == ["modality-missing"]


def test_secondary_capture_is_read_with_a_warning(write_dicom: WriteDicom, breast: Pixels) -> None:
    """A secondary capture without Modality is refused."""
    window = {"WindowCenter": 2048, "WindowWidth": 4096}

    mammogram = decode(write_dicom(breast, SOPClassUID=SecondaryCaptureImageStorage, **window))

    assert [warning.code for warning in mammogram.warnings] == ["general-sop-class"]
    with pytest.raises(NotAMammogram):
        decode(
            write_dicom(breast, SOPClassUID=SecondaryCaptureImageStorage, Modality=None, **window)
        )


@pytest.mark.parametrize(
    ("elements", "error", "message"),
    [
        ({"Modality": "CT"}, NotAMammogram, "modality is CT"),
        ({"SOPClassUID": CTImageStorage}, NotAMammogram, "Digital Mammography"),
        ({"SOPClassUID": BreastTomosynthesisImageStorage}, Tomosynthesis, "tomosynthesis"),
        (
            {"SOPClassUID": DigitalMammographyXRayImageStorageForProcessing},
            ForProcessing,
            "FOR PROCESSING",
        ),
        ({"PresentationIntentType": "FOR PROCESSING"}, ForProcessing, "FOR PROCESSING"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, UnsupportedImage, "colour"),
        ({"PhotometricInterpretation": None}, UnsupportedImage, "photometric"),
        ({"NumberOfFrames": 2}, SeveralFrames, "frames"),
        ({"BitsAllocated": 32}, UnsupportedImage, "bits"),
        ({"BitsStored": 12, "HighBit": 10}, CorruptImage, "bits"),
        ({"Rows": 0}, CorruptImage, "rows"),
        ({"Rows": None}, CorruptImage, "rows"),
        ({"PixelData": b""}, CorruptImage, "pixel data"),
        (
            {"RescaleSlope": 0, "SOPClassUID": ComputedRadiographyImageStorage},
            CorruptImage,
            "Rescale Slope",
        ),
    ],
)
def test_refusals_name_the_cause(
    write_dicom: WriteDicom,
    breast: Pixels,
    elements: dict[str, object],
    error: type[ImageError],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        decode(write_dicom(breast, **elements))


def test_size_is_checked_before_pixels_are_decoded(write_dicom: WriteDicom) -> None:
    claims = write_dicom(np.zeros((2, 2), np.uint16), Rows=60000, Columns=60000)

    with pytest.raises(TooManyPixels, match="3600000000"):
        decode(claims)

    exact = write_dicom(np.zeros((20, 30), np.uint16))
    assert decode(exact, Limits(max_pixels=600)).pixels.shape == (20, 30)
    with pytest.raises(TooManyPixels):
        decode(exact, Limits(max_pixels=599))


def test_header_values_stay_out_of_messages_and_logs(
    write_dicom: WriteDicom, breast: Pixels, caplog: pytest.LogCaptureFixture
) -> None:
    """Invalid elements do not raise library warnings either."""
    secret = "DOE JANE 1970"
    odd = write_dicom(breast, PixelData=breast.tobytes() + bytes(64)).replace(b"MG", b"XX")
    table = Dataset()
    table.LUTDescriptor = [9, 0, 16]
    table.LUTData = [1, 2]
    table["LUTData"].VR = "US"
    damaged = write_dicom(breast, ViewPosition="A" * len(secret), ModalityLUTSequence=[table])
    unreadable = write_dicom(breast, ViewPosition="A" * len(secret), VOILUTSequence=[table])

    with caplog.at_level(logging.DEBUG), warnings.catch_warnings():
        warnings.simplefilter("error")
        for data in (odd, damaged.replace(b"A" * len(secret), secret.encode())):
            with pytest.raises(ImageError) as refusal:
                decode(data)
            assert secret not in str(refusal.value)
        mammogram = decode(unreadable.replace(b"A" * len(secret), secret.encode()))

    assert "header-value-unreadable" in [warning.code for warning in mammogram.warnings]
    assert secret not in repr((mammogram.facts, mammogram.warnings))
    assert secret not in caplog.text
    assert caplog.records == []


def test_value_of_wrong_length_is_corrupt(write_dicom: WriteDicom, breast: Pixels) -> None:
    rows = bytes.fromhex("28001000") + b"US" + bytes.fromhex("0200")
    data = write_dicom(breast)
    start = data.index(rows) + len(rows)

    with pytest.raises(CorruptImage, match="damaged: Rows"):
        decode(
            data[: start - 2]
            + bytes.fromhex("0300")
            + data[start : start + 2]
            + b"\0"
            + data[start + 2 :]
        )


def test_warning_filters_survive_decoding_in_many_threads(
    write_dicom: WriteDicom, breast: Pixels
) -> None:
    data = write_dicom(breast[:40, :40])
    filters = list(warnings.filters)

    with ThreadPoolExecutor(8) as pool:
        results: list[NDArray[np.uint16]] = [
            mammogram.pixels for mammogram in pool.map(decode, [data] * 64)
        ]

    assert all(np.array_equal(pixels, results[0]) for pixels in results)
    assert list(warnings.filters) == filters
