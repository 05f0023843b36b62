"""Headers for objects: texts byte by byte, damage left out, and fingerprints of the origin."""

import struct
from collections.abc import Callable
from io import BytesIO
from typing import Any

import cv2
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from service.imaging import FileOrigin, Limits, OriginTask, ReadSourceTask, SourceReading
from service.imaging.dicom.source_header import (
    MAX_HEADER_BYTES,
    read_source_elements,
    write_source_header,
)
from service.records import FitParameters, Pixels
from tests.support.dicom_files import with_raw

WriteDicom = Callable[..., bytes]
LIMITS = Limits()
KEY = bytes(range(16))
GRID = FitParameters(96, 72)
STUDY = "1.2.840.99999.7"
GREEK = "Διονυσιος"


def header_of(data: bytes) -> Dataset:
    return dcmread(BytesIO(write_source_header(read_source_elements(data, LIMITS))))


def raw(dataset: Dataset, keyword: str) -> Any:
    element = dataset.get_item(keyword)
    assert element is not None
    return element.value


def with_character_set(data: bytes, value: bytes) -> bytes:
    """Return the file with a Specific Character Set, which pydicom would act on."""
    element = struct.pack("<HH2sHI", 0x0008, 0x0005, b"UT", 0, len(value)) + value
    first = struct.pack("<HH2s", 0x0008, 0x0016, b"UI")
    return data.replace(first, element + first, 1)


def item(**elements: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def source(data: bytes, key: bytes = KEY) -> SourceReading:
    return ReadSourceTask(GRID, 0, key, with_header=True)(data, LIMITS)


@pytest.mark.parametrize(
    ("syntax", "preamble"),
    [
        (ExplicitVRLittleEndian, True),
        (ImplicitVRLittleEndian, True),
        (ExplicitVRBigEndian, True),
        (DeflatedExplicitVRLittleEndian, True),
        (ExplicitVRLittleEndian, False),
        (ImplicitVRLittleEndian, False),
        (ExplicitVRBigEndian, False),
    ],
)
def test_header_is_same_from_every_syntax(
    write_dicom: WriteDicom, breast: Pixels, syntax: UID, preamble: bool
) -> None:
    code = item(CodeValue="399162004", CodingSchemeDesignator="SCT", CodeMeaning="cranio-caudal")
    data = write_dicom(
        breast,
        syntax,
        preamble=preamble,
        StudyInstanceUID=STUDY,
        PatientID="4711",
        ViewCodeSequence=[code],
        ImagerPixelSpacing=[0.07, 0.07],
    )

    header = header_of(data)

    assert (header.StudyInstanceUID, header.PatientID) == (STUDY, "4711")
    assert header.ViewCodeSequence[0].CodeValue == "399162004"
    assert (header.Rows, header.Columns) == breast.shape
    assert header.ImagerPixelSpacing == [0.07, 0.07]
    assert header.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert "PixelData" not in header


@pytest.mark.parametrize(
    ("charset", "encoded", "name"),
    [
        (b"ISO_IR 126", GREEK.encode("iso8859_7"), "iso8859_7"),
        (b"ISO_IR 192", GREEK.encode(), "utf8"),
        (b"\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "iso2022_jp"),
    ],
)
def test_names_keep_bytes_and_character_set(
    write_dicom: WriteDicom, breast: Pixels, charset: bytes, encoded: bytes, name: str
) -> None:
    data = with_raw(write_dicom(breast), "PatientName", encoded + b" " * (len(encoded) % 2))
    data = with_character_set(data, charset + b" " * (len(charset) % 2))

    header = header_of(data)

    assert raw(header, "PatientName").rstrip() == encoded
    assert str(header.PatientName).rstrip() == encoded.decode(name)


def test_misspelt_character_set_is_put_right(write_dicom: WriteDicom, breast: Pixels) -> None:
    data = with_character_set(write_dicom(breast), b"ISO-IR 126")

    header = header_of(data)

    assert header.SpecificCharacterSet == "ISO_IR 126"


@pytest.mark.parametrize(
    "charset", [b"klingon ", b"ISO_IR 100\\" * 9, b"A" * 70_000, b"\xff\xfe", b"utf8"]
)
def test_unknown_character_set_is_left_out(
    write_dicom: WriteDicom, breast: Pixels, charset: bytes
) -> None:
    data = with_character_set(write_dicom(breast), charset)

    header = header_of(data)

    assert "SpecificCharacterSet" not in header
    assert header.PatientName == "Doe^Jane"


def test_values_that_look_like_heads_are_kept(write_dicom: WriteDicom, breast: Pixels) -> None:
    """The bounded reader replaces bytes of heads, which are read in 2 and 8 bytes."""
    code = item(CodeValue="ABCD??EF", CodeMeaning="??")
    data = write_dicom(
        breast, PatientID="ABCD??EF", PatientComments="??", ProcedureCodeSequence=[code]
    )

    header = header_of(data)

    assert (header.PatientID, header.PatientComments) == ("ABCD??EF", "??")
    assert header.ProcedureCodeSequence[0].CodeValue == "ABCD??EF"
    assert header.ProcedureCodeSequence[0].CodeMeaning == "??"


@pytest.mark.parametrize(
    ("keyword", "value", "vr"),
    [
        ("PatientBirthDate", b"19561399", None),
        ("PatientAge", b"old ", None),
        ("PatientSex", b"\xff\xfe", None),
        ("SeriesNumber", b"seven ", None),
        ("ImagerPixelSpacing", b"0.07\\wide ", None),
        ("AccessionNumber", b"A" * 70_000, "UT"),
        ("FrameOfReferenceUID", b"1..2", None),
        ("StudyID", b"\x01\x00", "US"),
        ("ProcedureCodeSequence", b"garbage!", None),
    ],
)
def test_broken_element_alone_is_left_out(
    write_dicom: WriteDicom, breast: Pixels, keyword: str, value: bytes, vr: str | None
) -> None:
    data = with_raw(write_dicom(breast, StudyInstanceUID=STUDY), keyword, value, vr)

    header = header_of(data)

    assert keyword not in header
    assert (header.StudyInstanceUID, header.PatientName) == (STUDY, "Doe^Jane")


def test_long_decimal_is_shortened(write_dicom: WriteDicom, breast: Pixels) -> None:
    written = b"0.09411764705882353\\0.0941176470588 "
    data = with_raw(write_dicom(breast), "ImagerPixelSpacing", written)

    header = header_of(data)

    assert max(map(len, raw(header, "ImagerPixelSpacing").strip().split(b"\\"))) <= 16
    assert header.ImagerPixelSpacing == pytest.approx([0.0941176470588] * 2)


def test_nested_items_keep_texts_and_drop_private(write_dicom: WriteDicom, breast: Pixels) -> None:
    code = item(CodeValue="1", SpecificCharacterSet="ISO_IR 126")
    code.add_new(0x00080104, "LO", GREEK)
    code.add_new(0x00091010, "LO", "private")
    scheduled = item(RequestedProcedureID="7", RequestedProcedureCodeSequence=[code])
    data = write_dicom(
        breast, SpecificCharacterSet="ISO_IR 126", RequestAttributesSequence=[scheduled]
    )

    header = header_of(data)

    (copied,) = header.RequestAttributesSequence[0].RequestedProcedureCodeSequence
    assert copied.CodeMeaning == GREEK
    assert copied.SpecificCharacterSet == "ISO_IR 126"
    assert (0x0009, 0x1010) not in copied


def test_largest_elements_are_left_out(write_dicom: WriteDicom, breast: Pixels) -> None:
    codes = [item(TextValue="x" * 10_000) for _ in range(120)]
    names = ("ProcedureCodeSequence", "RequestAttributesSequence")
    data = write_dicom(breast, StudyInstanceUID=STUDY, **dict.fromkeys(names, codes))

    encoded = write_source_header(read_source_elements(data, LIMITS))

    assert 1_200_000 < len(encoded) < MAX_HEADER_BYTES
    assert dcmread(BytesIO(encoded)).StudyInstanceUID == STUDY


def test_countless_items_are_left_out(write_dicom: WriteDicom, breast: Pixels) -> None:
    one = struct.pack("<HHI", 0xFFFE, 0xE000, 8) + struct.pack("<HH2sH", 0x0008, 0x0100, b"SH", 0)
    data = with_raw(write_dicom(breast), "ProcedureCodeSequence", 20_000 * one)

    header = header_of(data)

    assert "ProcedureCodeSequence" not in header
    assert header.PatientName == "Doe^Jane"


def test_deep_items_are_left_out(write_dicom: WriteDicom, breast: Pixels) -> None:
    nested = b""
    for _ in range(50):
        head = struct.pack("<HHI", 0xFFFE, 0xE000, 12 + len(nested))
        nested = head + struct.pack("<HH2sHI", 0x0008, 0x1032, b"SQ", 0, len(nested)) + nested
    data = with_raw(write_dicom(breast), "ProcedureCodeSequence", nested)

    header = header_of(data)

    depth = 0
    while header.get("ProcedureCodeSequence"):
        header = header.ProcedureCodeSequence[0]
        depth += 1
    assert 1 <= depth <= 10


def test_origin_tells_equal_study_and_patient(write_dicom: WriteDicom, breast: Pixels) -> None:
    def origin(key: bytes = KEY, **elements: object) -> FileOrigin:
        fingerprints = source(write_dicom(breast, BitsStored=12, **elements), key).origin
        assert fingerprints is not None
        return fingerprints

    first = origin(StudyInstanceUID=STUDY, PatientID="4711")

    assert first == origin(StudyInstanceUID=STUDY, PatientID="4711 ")
    assert first.patient == origin(PatientID="4711").patient != origin(PatientID="4712").patient
    assert first.study == origin(StudyInstanceUID=STUDY).study
    assert first.study != origin(StudyInstanceUID="1.2.3").study
    assert first.study != origin(bytes(16), StudyInstanceUID=STUDY).study
    assert origin() == FileOrigin(None, None)


def test_refused_file_has_origin(write_dicom: WriteDicom, breast: Pixels) -> None:
    elements = {"StudyInstanceUID": STUDY, "BitsStored": 12}
    raw_image = write_dicom(breast, PresentationIntentType="FOR PROCESSING", **elements)
    accepted = source(write_dicom(breast, **elements))

    assert OriginTask(KEY)(raw_image, LIMITS) == accepted.origin
    assert OriginTask(KEY)(b"\x89PNG\r\n\x1a\n" + bytes(200), LIMITS) is None
    assert OriginTask(KEY)(b"", LIMITS) is None


def test_identity_is_in_no_repr(write_dicom: WriteDicom, breast: Pixels) -> None:
    data = write_dicom(breast, BitsStored=12, PatientID="SECRET", StudyInstanceUID=STUDY)

    reading = source(data)

    assert reading.header is not None
    assert b"Doe^Jane" in reading.header
    shown = repr(reading) + repr(ReadSourceTask(GRID, 0, KEY, with_header=True))
    assert not any(value in shown for value in ("Doe", "SECRET", STUDY, repr(KEY)))


def test_other_formats_have_no_origin(breast: Pixels) -> None:
    reading = source(cv2.imencode(".png", breast)[1].tobytes())

    assert (reading.origin, reading.header) == (None, None)
