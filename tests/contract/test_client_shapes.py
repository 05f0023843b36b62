"""Requests as the clients of .NET and Spring write them, byte for byte."""

import pytest

from tests.support.paths import SAMPLE
from tests.support.raw_http import LAST, exchange_segments, statuses

IMAGE = SAMPLE.read_bytes()


def chunked(body: bytes, size: int) -> bytes:
    """Return a body in chunks."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


# MultipartFormDataContent of .NET: names without quotation marks, a boundary within them.
DOTNET_BOUNDARY = b"2f6c1c5e-9f1c-4a9d-8f0c-0a2b6f6d1e11"
DOTNET_FORM = (
    b"--%b\r\nContent-Type: application/dicom\r\n"
    b"Content-Disposition: form-data; name=file; filename=image.dcm; filename*=utf-8''image.dcm\r\n"
    b"\r\n%b\r\n--%b--\r\n" % (DOTNET_BOUNDARY, IMAGE, DOTNET_BOUNDARY)
)
DOTNET_HEAD = (
    b"POST /predict HTTP/1.1\r\nHost: localhost:8000\r\n"
    b'Content-Type: multipart/form-data; boundary="%b"\r\n' % DOTNET_BOUNDARY
)

# RestClient of Spring over the JDK's client: an offer of HTTP/2, and a form in chunks.
SPRING_BOUNDARY = b"Zr5oUx8bQ3RcK0b2bXo4x6uWq9k0y1"
SPRING_FORM = (
    b"--%b\r\n"
    b'Content-Disposition: form-data; name="file"; filename="image.dcm"\r\n'
    b"Content-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n%b\r\n--%b--\r\n"
    % (SPRING_BOUNDARY, len(IMAGE), IMAGE, SPRING_BOUNDARY)
)
SPRING_HEAD = (
    b"POST /predict HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHost: localhost:8000\r\n"
    b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
    b"Transfer-encoding: chunked\r\nUpgrade: h2c\r\nUser-Agent: Java-http-client/17.0.15\r\n"
    b"Accept: application/json\r\nContent-Type: multipart/form-data;boundary=%b\r\n\r\n"
    % SPRING_BOUNDARY
)

DOTNET_STREAM_HEAD = (
    b"POST /predict HTTP/1.1\r\nHost: localhost:8000\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Type: application/dicom\r\n\r\n"
)

LENGTH = b"Content-Length: %d\r\n\r\n" % len(DOTNET_FORM)
SHAPES = {
    ".NET form": (DOTNET_HEAD + LENGTH, DOTNET_FORM),
    ".NET form in chunks": (
        DOTNET_HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        chunked(DOTNET_FORM, 4096),
    ),
    ".NET stream": (DOTNET_STREAM_HEAD, chunked(IMAGE, 8192)),
    "Spring form": (SPRING_HEAD, chunked(SPRING_FORM, 16_384)),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_shape_of_stock_client_is_read(server: str, shape: tuple[bytes, bytes]) -> None:
    for _ in range(10):
        answers = exchange_segments(server, *shape, LAST, pause=0.01)

        assert statuses(answers) == [200, 200]
        assert b'"prediction"' in answers[0]


def test_expecting_client_gets_100_before_it_sends(server: str) -> None:
    """.NET with ExpectContinue, and curl with large bodies."""
    head = DOTNET_HEAD + b"Expect: 100-continue\r\n" + LENGTH

    answers = exchange_segments(server, head, DOTNET_FORM + LAST, pause=0.2)

    assert statuses(answers) == [100, 200, 200]


def test_expecting_client_is_refused_before_it_sends(server: str) -> None:
    head = DOTNET_HEAD.replace(b"multipart/form-data", b"text/plain")

    answers = exchange_segments(
        server, head + b"Connection: close\r\nExpect: 100-continue\r\n" + LENGTH
    )

    assert statuses(answers) == [415]
