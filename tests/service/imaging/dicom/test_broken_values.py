"""A value that cannot be read is worth as much as none, unless the pixels depend on it."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from pydicom.datadict import dictionary_description
from pydicom.dataset import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from service.errors import CorruptImage, UnsupportedImage
from service.imaging import decode
from service.imaging.dicom.header import PIXEL_KEYWORDS
from service.imaging.dicom.identity import KEYWORDS
from service.records import Mammogram, Pixels
from tests.support.dicom_files import with_raw, without

WriteDicom = Callable[..., bytes]

UNREADABLE = "header-value-unreadable"
# Ways in which a number, and a text that has to be a term of the standard, cannot be read.
NO_NUMBERS = [
    b"0,07", b"0.07mm", b"NaN", b"-Infinity", b"1e99", b"0x1F", b"1_0", b"+", b"0. 07", b"\x01\x02",
]  # fmt: skip
NO_SINGLE_NUMBERS = [*NO_NUMBERS, b"1.5\\1.5", b"1.5\\"]
NO_PAIRS = [
    *(number + b"\\" + number for number in NO_NUMBERS),
    b"0.07", b"0.07\\0.07\\0.07", b"0.07\\", b"\\0.07",
]  # fmt: skip
NO_TEXTS = [b"\x01\x02", b"A\\B", b"\x07\x00\x01\xff"]
NO_TERMS = [*NO_TEXTS, b"DOE", b"NaN", b"YES\\NO"]
NO_SEQUENCES = [b"CC", b"R-10242 and more", b"\xfe\xff\x00\xe0\xff", bytes(range(40))]

# Keywords, to values of which the file is read as if the element were missing.
WAYS = {
    "ImagerPixelSpacing": NO_PAIRS,
    "PixelSpacing": NO_PAIRS,
    "PixelSpacingCalibrationType": NO_TERMS,
    "EstimatedRadiographicMagnificationFactor": NO_SINGLE_NUMBERS,
    "DistanceSourceToDetector": NO_SINGLE_NUMBERS,
    "DistanceSourceToPatient": NO_SINGLE_NUMBERS,
    "SOPClassUID": [*NO_TEXTS, b"1.2.DOE"],
    "SOPInstanceUID": [*NO_TEXTS, b"1.2.DOE", b"1" * 66],
    "Modality": NO_TEXTS,
    "PresentationIntentType": NO_TERMS,
    "ImageType": [b"\x01\x02"],
    "NumberOfFrames": [*NO_SINGLE_NUMBERS, b"-1", b"1.5"],
    "BodyPartExamined": NO_TEXTS,
    "AnatomicRegionSequence": NO_SEQUENCES,
    "ImageLaterality": NO_TERMS,
    "Laterality": NO_TERMS,
    "ViewPosition": [*NO_TERMS, b"LAT"],
    "ViewCodeSequence": NO_SEQUENCES,
    "PatientOrientation": [b"A", b"A\\FR\\H", b"DOE\\JANE", b"\x01\\\x02", b"A\\"],
    "BreastImplantPresent": NO_TERMS,
    "PartialView": NO_TERMS,
    "BurnedInAnnotation": NO_TERMS,
    "LossyImageCompression": NO_TERMS,
    # In a mammogram, the standard leaves these one value.
    "SamplesPerPixel": [b"\x01", b"\x01\x00\x01\x00"],
    "HighBit": [b"\x07", b"\x07\x00\x07\x00"],
    "PixelRepresentation": [b"\x00", b"\x00\x00\x00\x00"],
    "RescaleSlope": [*NO_SINGLE_NUMBERS, b"0"],
    "RescaleIntercept": NO_SINGLE_NUMBERS,
    "PixelPaddingValue": [b"\x00\x00\x00\x00"],
    "PixelPaddingRangeLimit": [b"\x00\x00\x00\x00"],
    "WindowCenter": [*NO_NUMBERS, b"128,0\\100,0"],
    "WindowWidth": [*NO_NUMBERS, b"256,0\\50,0"],
}
# Keywords, to values with which the file is refused by that name.
REFUSED = {
    "Rows": [b"\x46", b"", b"\x46\x00\x46\x00"],
    "Columns": [b"\x32", b"", b"\x32\x00\x32\x00"],
    "BitsAllocated": [b"\x08", b"", b"\x08\x00\x08\x00"],
    "BitsStored": [b"\x08", b"\x08\x00\x08\x00"],
    "ModalityLUTSequence": NO_SEQUENCES,
}
# Any text stands there, or one that cannot be read changes nothing or is refused elsewhere.
OTHERS = {
    "PaddleDescription", "PresentationLUTShape", "PhotometricInterpretation", "VOILUTFunction",
    "VOILUTSequence",
}  # fmt: skip


@pytest.fixture(scope="module")
def small(breast: Pixels) -> Pixels:
    return np.ascontiguousarray(breast[::6, ::6])


@pytest.fixture(scope="module")
def sound(write_dicom: WriteDicom, small: Pixels) -> bytes:
    """A file of 8 bits in which every value can be read."""
    view = Dataset()
    view.CodeValue = "R-10242"
    return write_dicom(
        (small >> 4).astype(np.uint8),
        ImageType=["ORIGINAL", "PRIMARY"],
        PresentationIntentType="FOR PRESENTATION",
        NumberOfFrames=1,
        ImageLaterality="L",
        ViewPosition="CC",
        ViewCodeSequence=[view],
        PatientOrientation=["A", "R"],
        ImagerPixelSpacing=[0.09, 0.18],
        PixelSpacing=[0.09, 0.18],
        EstimatedRadiographicMagnificationFactor=1.2,
        DistanceSourceToDetector=660,
        DistanceSourceToPatient=600,
        BreastImplantPresent="NO",
        PartialView="NO",
        BurnedInAnnotation="NO",
        LossyImageCompression="00",
        RescaleSlope=1,
        RescaleIntercept=0,
        WindowCenter=128,
        WindowWidth=256,
        PixelPaddingValue=0,
        PixelPaddingRangeLimit=0,
    )


def codes(mammogram: Mammogram) -> list[str]:
    return [warning.code for warning in mammogram.warnings]


def table(descriptor: list[int], entries: list[int], vr: str = "US") -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", descriptor)
    item.add_new("LUTData", vr, entries if vr == "US" else np.array(entries, "<u2").tobytes())
    return item


def test_every_element_that_is_read_is_broken() -> None:
    assert {*WAYS, *REFUSED, *OTHERS} == {*KEYWORDS, *PIXEL_KEYWORDS}


@pytest.mark.parametrize("keyword", WAYS)
def test_unreadable_value_counts_as_missing(sound: bytes, keyword: str) -> None:
    expected = decode(without(sound, keyword))

    for value in WAYS[keyword]:
        mammogram = decode(with_raw(sound, keyword, value))
        cautions = [warning for warning in mammogram.warnings if warning.code == UNREADABLE]

        assert mammogram.facts == expected.facts, value
        assert np.array_equal(mammogram.pixels, expected.pixels), value
        assert [code for code in codes(mammogram) if code != UNREADABLE] == codes(expected), value
        assert len(cautions) == 1, value
        assert cautions[0].message.endswith(f": {dictionary_description(keyword)}."), value


@pytest.mark.parametrize("keyword", REFUSED)
def test_refusal_names_the_element_pixels_need(sound: bytes, keyword: str) -> None:
    for value in REFUSED[keyword]:
        with pytest.raises(CorruptImage, match=dictionary_description(keyword)):
            decode(with_raw(sound, keyword, value))


@pytest.mark.parametrize("keyword", ["RescaleSlope", "RescaleIntercept", "HighBit"])
def test_general_class_needs_its_own_values(sound: bytes, keyword: str) -> None:
    general = with_raw(sound, "SOPClassUID", ComputedRadiographyImageStorage.encode())

    assert codes(decode(general)) == ["general-sop-class"]
    with pytest.raises(CorruptImage, match=dictionary_description(keyword)):
        decode(with_raw(general, keyword, b"1,0", "DS"))


def test_unreadable_photometric_interpretation_is_refused(sound: bytes) -> None:
    with pytest.raises(UnsupportedImage, match="photometric"):
        decode(with_raw(sound, "PhotometricInterpretation", b"MONOCHROME1\\MONOCHROME2"))


def test_unreadable_values_share_one_warning(sound: bytes) -> None:
    broken = with_raw(with_raw(sound, "ViewPosition", b"DOE"), "ImagerPixelSpacing", b"JANE")

    (caution,) = decode(broken).warnings

    assert caution.message == (
        "Values in the header cannot be read and count as missing: Imager Pixel Spacing, View "
        "Position."
    )


@pytest.mark.parametrize(
    ("keyword", "value", "vr"),
    [
        ("Rows", b"70", "IS"),
        ("Rows", b" 70.0 ", "DS"),
        ("Rows", struct.pack("<I", 70), "UL"),
        ("Rows", struct.pack("<H", 70), "UN"),
        ("Rows", struct.pack("<H", 70), "CS"),
        ("Rows", struct.pack("<d", 70), "FD"),
        ("BitsStored", b" 8 ", "IS"),
        ("BitsStored", b"8\0\0\0", "SH"),
        ("RescaleSlope", b"    ", "DS"),
        ("RescaleSlope", b"1.0\0", "LO"),
        ("RescaleIntercept", b"", "DS"),
        ("NumberOfFrames", b"0", "IS"),
        ("NumberOfFrames", b" ", "IS"),
        ("NumberOfFrames", b"1.0 ", "DS"),
        ("PhotometricInterpretation", b"monochrome2  ", "LO"),
        ("PhotometricInterpretation", b"MONOCHROME 2", "CS"),
        ("Modality", b" mg ", "CS"),
        ("Modality", b"MG\\MG", "CS"),
        ("ImageLaterality", b"l", "CS"),
        ("ImageLaterality", b"LEFT", "CS"),
        ("ViewPosition", b"cc ", "LO"),
        ("ViewPosition", b"LCC", "CS"),
        ("ViewPosition", b"L-CC", "CS"),
        ("ViewPosition", b"LEFT CC", "CS"),
        ("PatientOrientation", b"a\\r", "LO"),
        ("WindowWidth", b"+2.56E2", "DS"),
        ("WindowWidth", struct.pack("<f", 256), "FL"),
        ("VOILUTFunction", b"linear", "CS"),
        ("PixelPaddingValue", struct.pack("<h", 0), "SS"),
        ("PatientBirthDate", b"31,13.1970", "DS"),
    ],
)
def test_unusual_spelling_is_read(sound: bytes, keyword: str, value: bytes, vr: str) -> None:
    expected = decode(sound)

    mammogram = decode(with_raw(sound, keyword, value, vr))

    assert mammogram.facts == expected.facts
    assert np.array_equal(mammogram.pixels, expected.pixels)
    assert mammogram.warnings == ()


@pytest.mark.parametrize("order", ["<", ">"])
def test_sequence_of_unknown_vr_is_little_endian(
    write_dicom: WriteDicom, small: Pixels, order: str
) -> None:
    syntax = ExplicitVRLittleEndian if order == "<" else ExplicitVRBigEndian
    data = write_dicom(small, syntax, BitsStored=12)
    code = struct.pack("<HHI", 0x0008, 0x0100, 8) + b"R-10226 "
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(code)) + code
    sequence = struct.pack(f"{order}HH2sHI", 0x0054, 0x0220, b"UN", 0, len(item)) + item
    start = data.index(struct.pack(f"{order}HH2s", 0x7FE0, 0x0010, b"OW"))

    mammogram = decode(data[:start] + sequence + data[start:])

    assert mammogram.facts.view == "MLO"
    assert UNREADABLE not in codes(mammogram)


@pytest.mark.parametrize(
    ("centers", "widths", "window"),
    [
        (b"128\\", b"256\\", "1 of 2, LINEAR"),
        (b"2,5\\128", b"256\\256", "2 of 2, LINEAR"),
        (b"128\\128", b"NaN\\256", "2 of 2, LINEAR"),
        (b"9\\128", b"-5\\256", "2 of 2, LINEAR"),
    ],
)
def test_first_readable_window_is_used(
    sound: bytes, centers: bytes, widths: bytes, window: str
) -> None:
    data = with_raw(with_raw(sound, "WindowCenter", centers), "WindowWidth", widths)

    mammogram = decode(data)

    assert mammogram.facts.window == window
    assert np.array_equal(mammogram.pixels, decode(sound).pixels)


def test_window_of_unknown_function_is_skipped(sound: bytes) -> None:
    assert codes(decode(with_raw(sound, "VOILUTFunction", b"LINEAL"))) == [UNREADABLE, "no-window"]


@pytest.mark.parametrize(
    "broken",
    [
        table([4096, 0, 12], []),
        table([], list(range(4096))),
        table([4096, 0], list(range(4096))),
        table([4096, 0, 12], list(range(4095))),
        table([4096, 0, 0], list(range(4096))),
        table([4096, 0, 17], list(range(4096))),
        table([0, 0, 12], list(range(4096)), "OW"),
        Dataset(),
    ],
    ids=["no data", "no descriptor", "two values", "short", "0 bits", "17 bits", "65536", "empty"],
)
def test_unreadable_voi_lut_is_skipped(
    write_dicom: WriteDicom, small: Pixels, broken: Dataset
) -> None:
    whole = table([4096, 0, 12], list(range(4095, -1, -1)))
    alone, first, plain = (
        decode(write_dicom(small, BitsStored=12, VOILUTSequence=tables))
        for tables in ([broken], [broken, whole], [whole])
    )

    assert codes(alone) == [UNREADABLE, "no-window"]
    assert np.array_equal(alone.pixels, decode(write_dicom(small, BitsStored=12)).pixels)
    assert np.array_equal(first.pixels, plain.pixels)
    assert UNREADABLE in codes(first)


@pytest.mark.parametrize("value", NO_SEQUENCES)
def test_voi_lut_without_items_is_skipped(sound: bytes, value: bytes) -> None:
    plain = without(sound, "WindowWidth")

    mammogram = decode(with_raw(plain, "VOILUTSequence", value))

    assert codes(mammogram) == [UNREADABLE, "no-window"]
    assert np.array_equal(mammogram.pixels, decode(plain).pixels)


def test_entries_beyond_the_descriptor_are_padding(write_dicom: WriteDicom, small: Pixels) -> None:
    exact, longer = (
        decode(write_dicom(small, BitsStored=12, VOILUTSequence=[table([4096, 0, 12], entries)]))
        for entries in (list(range(4096)), [*range(4096), 0, 0])
    )

    assert np.array_equal(longer.pixels, exact.pixels)
    assert longer.warnings == ()


@pytest.mark.parametrize("packing", ["US", "OW", "OB", "UN"])
def test_first_input_has_the_sign_of_pixels(write_dicom: WriteDicom, packing: str) -> None:
    """65036 is -500 as an unsigned number."""
    stored = np.arange(-512, 512, dtype=np.int16).reshape(32, 32)
    item = table([1000, 65036, 10], list(range(1000)), packing)

    pixels = decode(write_dicom(stored, BitsStored=12, VOILUTSequence=[item])).pixels

    assert pixels.ravel()[12] == 0
    assert pixels.ravel()[112] == round(100 * 65535 / 1023)


def test_size_with_a_sign_is_read(write_dicom: WriteDicom, small: Pixels) -> None:
    """-32768 is 32768 entries, in a descriptor whose VR is SS."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SS", [0, 0, 16])
    item.add_new("LUTData", "US", [min(16 * entry, 65535) for entry in range(32768)])
    data = write_dicom(small, ImplicitVRLittleEndian, VOILUTSequence=[item])
    descriptor = struct.pack("<HHI3H", 0x0028, 0x3002, 6, 0, 0, 16)

    mammogram = decode(
        data.replace(descriptor, descriptor[:8] + struct.pack("<hHH", -32768, 0, 16))
    )

    assert descriptor in data
    assert mammogram.facts.window == "1 of 1, table"


def test_unsigned_padding_may_be_written_signed(write_dicom: WriteDicom, small: Pixels) -> None:
    stored = small.copy()
    stored[:, -3:] = 65535
    data = with_raw(write_dicom(stored), "PixelPaddingValue", struct.pack("<h", -1), "SS")

    assert not decode(data).pixels[:, -3:].any()
