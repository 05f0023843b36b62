"""Bodies as clients of other makes write them, as bytes over a plain socket."""

import gzip
import time
import zlib
from collections.abc import Iterator

import pytest

from service.api.upload.multipart_files import MAX_PARTS
from tests.support.plain_socket import PlainAnswer, exchange, head
from tests.support.servers import running

FORM = "multipart/form-data; boundary=XX"
NAMED = 'Content-Disposition: form-data; name="file"; filename="a.dcm"'
RELATED = 'multipart/related; type="application/dicom"; boundary=XX'
DICOM_PART = "Content-Type: application/dicom"


@pytest.fixture(scope="module")
def small_server() -> Iterator[str]:
    """A server that takes 4 MB."""
    with running(MAMMOLENS_MAX_UPLOAD_BYTES="4000000") as started:
        yield started.address


def post(server: str, content_type: str, body: bytes, *more: str) -> PlainAnswer:
    return exchange(server, head(content_type, len(body), *more) + body)


def part(file: bytes, *lines: str, boundary: str = "XX", blanks: str = "") -> bytes:
    """Return the boundary, a part with these header lines, and the line break after its data."""
    text = "\r\n".join([f"--{boundary}{blanks}", *lines]) + "\r\n\r\n"
    return text.encode() + file + b"\r\n"


GUID = "8f0e3c52-5b0c-4a4e-9a57-0f2b6c1d7e90"
WEBKIT = "----WebKitFormBoundaryePkpFF7tjBAqx29L"
UNDICI = "----formdata-undici-036219381716"
CURL = "------------------------d74496d66958873e"
DICOMWEB = "0f3cf5c0-70e0-41ef-baef-c6f9f65ec3e1"

CLIENTS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    # Content type, boundary, and the header lines of the part
    "HttpClient of .NET, Add(content, name)": (
        f'multipart/form-data; boundary="{GUID}"',
        GUID,
        ("Content-Disposition: form-data; name=file",),
    ),
    "HttpClient of .NET, Add(content, name, file name)": (
        f'multipart/form-data; boundary="{GUID}"',
        GUID,
        (
            DICOM_PART,
            "Content-Disposition: form-data; name=file; filename=a.dcm; filename*=utf-8''a.dcm",
        ),
    ),
    "kiota": (
        f"multipart/form-data; boundary={GUID}",
        GUID,
        ("Content-Type: application/dicom", 'Content-Disposition: form-data; name="file"'),
    ),
    "Spring": (
        "multipart/form-data;charset=UTF-8;boundary=nMoUNYn0tqLjhtjyZVcJFR-l7bV",
        "nMoUNYn0tqLjhtjyZVcJFR-l7bV",
        (NAMED, "Content-Type: application/octet-stream", "Content-Length: {length}"),
    ),
    "Python requests": (
        "multipart/form-data; boundary=c7cbfdd911b4e720f1dd8f479c50bc7f",
        "c7cbfdd911b4e720f1dd8f479c50bc7f",
        (NAMED,),
    ),
    "curl": (
        f"multipart/form-data; boundary={CURL}",
        CURL,
        (NAMED, "Content-Type: application/octet-stream"),
    ),
    "undici": (
        f"multipart/form-data; boundary={UNDICI}",
        UNDICI,
        ('Content-Disposition: form-data; name="file"; filename="blob"', DICOM_PART),
    ),
    "Chromium": (f"multipart/form-data; boundary={WEBKIT}", WEBKIT, (NAMED, DICOM_PART)),
    "file name in RFC 5987 alone": (
        FORM,
        "XX",
        ("Content-Disposition: form-data; name=\"file\"; filename*=UTF-8''m%C3%A4rz.dcm",),
    ),
    "names in other cases": (
        'Multipart/Form-Data; Boundary="XX"',
        "XX",
        ('CONTENT-disposition: Form-Data; NAME="file"; FileName="a.dcm"',),
    ),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_form_of_each_client_is_read(server: str, mammogram_png: bytes, client: str) -> None:
    content_type, boundary, lines = CLIENTS[client]
    lines = tuple(line.format(length=len(mammogram_png)) for line in lines)
    body = part(mammogram_png, *lines, boundary=boundary) + f"--{boundary}--\r\n".encode()

    answer = post(server, content_type, body)

    assert answer.status == 200, answer.body


MIME = b'Content-Type: multipart/form-data; boundary="XX"\r\nMIME-Version: 1.0\r\n\r\n'


@pytest.mark.parametrize(
    ("before", "blanks", "after"),
    [
        (MIME, "", b""),
        (b"\r\n", "", b""),
        (b"--X is no boundary\r\n- nor this\r\n", "", b""),
        (b"", "  \t", b""),
        (MIME, "  ", b""),
        (b"", "", b"\r\nThis epilogue is ignored.\r\n--XX\r\n"),
    ],
    ids=["preamble of launchpadlib", "line break", "text", "blanks", "both", "epilogue"],
)
def test_text_around_the_parts_is_ignored(
    server: str, mammogram_png: bytes, before: bytes, blanks: str, after: bytes
) -> None:
    """RFC 2046, section 5.1.1: preamble, transport padding and epilogue."""
    other = part(b"a note", 'Content-Disposition: form-data; name="note"', blanks=blanks)
    file = part(mammogram_png, NAMED, blanks=blanks)

    answer = post(server, FORM, before + other + file + b"--XX--" + blanks.encode() + after)

    assert answer.status == 200, answer.body


def test_bare_line_feeds_are_no_boundaries(server: str, mammogram_png: bytes) -> None:
    """RFC 2046 demands CRLF."""
    body = part(mammogram_png, NAMED) + b"--XX--"

    answer = post(server, FORM, body.replace(b"\r\n", b"\n"))

    assert (answer.status, answer.problem["type"]) == (400, "urn:mammolens:malformed-upload")


def test_part_of_dicomweb_client_is_read(server: str, mammogram_png: bytes) -> None:
    """As dicomweb-client and DICOM PS3.18, 8.6.1.2.1, write it."""
    content_type = f'multipart/related; type="application/dicom"; boundary="{DICOMWEB}"'
    file = part(mammogram_png, DICOM_PART, boundary=DICOMWEB)

    answer = post(server, content_type, b"\r\n" + file + f"--{DICOMWEB}--".encode())

    assert answer.status == 200, answer.body


def test_related_body_has_one_part(server: str) -> None:
    two = post(server, RELATED, 2 * part(b"x", DICOM_PART) + b"--XX--")
    none = post(server, RELATED, b"--XX--")

    assert (two.status, two.problem["type"]) == (400, "urn:mammolens:malformed-upload")
    assert "more than one file" in two.problem["detail"]
    assert (none.status, none.problem["type"]) == (400, "urn:mammolens:missing-file")


@pytest.mark.parametrize("parameter", ["", '; type="application/dicom+json"'])
def test_related_body_of_another_type_is_unsupported(server: str, parameter: str) -> None:
    answer = post(server, f"multipart/related{parameter}; boundary=XX", b"--XX--")

    assert (answer.status, answer.problem["type"]) == (415, "urn:mammolens:unsupported-media-type")
    assert 'multipart/related; type="application/dicom"' in answer.problem["available_types"]


def test_tiny_parts_cost_little(server: str) -> None:
    """A million of them are refused at the first that is too many."""
    tiny = part(b"", 'Content-Disposition: form-data; name="a"')
    start = time.monotonic()

    answer = post(server, FORM, tiny * 1_000_000)

    assert (answer.status, answer.problem["type"]) == (400, "urn:mammolens:malformed-upload")
    assert f"more than {MAX_PARTS} parts" in answer.problem["detail"]
    assert time.monotonic() - start < 5


def test_as_many_parts_as_allowed_are_read(server: str, mammogram_png: bytes) -> None:
    other = part(b"", 'Content-Disposition: form-data; name="a"')

    answer = post(server, FORM, other * (MAX_PARTS - 1) + part(mammogram_png, NAMED) + b"--XX--")

    assert answer.status == 200


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip", "identity, gzip"])
@pytest.mark.parametrize("kind", ["raw", "form", "related"])
def test_gzip_body_is_read(server: str, mammogram_png: bytes, coding: str, kind: str) -> None:
    content_type, body = {
        "raw": ("image/png", mammogram_png),
        "form": (FORM, part(mammogram_png, NAMED) + b"--XX--"),
        "related": (RELATED, part(mammogram_png, DICOM_PART) + b"--XX--"),
    }[kind]

    answer = post(server, content_type, gzip.compress(body, 1), f"Content-Encoding: {coding}")

    assert answer.status == 200, answer.body


def test_identity_is_no_coding(server: str, mammogram_png: bytes) -> None:
    answer = post(server, "image/png", mammogram_png, "Content-Encoding: identity")

    assert answer.status == 200


@pytest.mark.parametrize(
    ("coding", "detail"),
    [
        ("br", "The content coding br of the body is unsupported."),
        ("deflate, gzip", "The content coding deflate of the body is unsupported."),
        ("gzip\r\nContent-Encoding: gzip", "The content coding of the body is unsupported."),
        ("Doe^Jane", "The content coding of the body is unsupported."),
    ],
    ids=["br", "two", "twice", "unknown"],
)
def test_other_codings_are_named(server: str, coding: str, detail: str) -> None:
    """RFC 9110, 15.5.16. A name that is no coding is not repeated."""
    answer = post(server, "image/png", b"x", f"Content-Encoding: {coding}")

    assert (answer.status, answer.problem["detail"]) == (415, detail)
    assert answer.problem["type"] == "urn:mammolens:unsupported-content-coding"
    assert answer.problem["available_codings"] == ["gzip"]
    assert "accept-encoding: gzip" in answer.head


DAMAGED = {
    "no gzip": b"none",
    "checksum": gzip.compress(b"a")[:-8] + bytes(8),
    "cut off": gzip.compress(bytes(100_000))[:-20],
    "goes on": gzip.compress(b"a") + b"b",
    "two members": gzip.compress(b"a") * 2,
    "zlib": zlib.compress(b"a"),
    "empty": b"",
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_gzip_is_a_malformed_upload(server: str, damage: str) -> None:
    answer = post(server, "image/png", DAMAGED[damage], "Content-Encoding: gzip")

    assert (answer.status, answer.problem["type"]) == (400, "urn:mammolens:malformed-upload")
    assert "gzip" in answer.problem["detail"]


def test_gzip_bomb_is_stopped_at_the_limit(small_server: str) -> None:
    """128 MiB in 130 kB: only the first 4 MB are unpacked."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 24)
    bomb = b"".join(deflater.compress(zeros) for _ in range(8)) + deflater.flush()
    start = time.monotonic()

    answer = post(small_server, "application/dicom", bomb, "Content-Encoding: gzip")

    assert (answer.status, answer.problem["type"]) == (413, "urn:mammolens:upload-too-large")
    assert time.monotonic() - start < 2


def test_gzip_body_ends_at_the_same_limit(small_server: str) -> None:
    within = gzip.compress(bytes(4_000_000), 1)
    over = gzip.compress(bytes(4_000_001), 1)

    answers = [
        post(small_server, "application/dicom", body, "Content-Encoding: gzip")
        for body in (within, over)
    ]

    kinds = [answer.problem["type"].removeprefix("urn:mammolens:") for answer in answers]
    assert kinds == ["unsupported-format", "upload-too-large"]
