"""What the server says before any application is asked."""

import json
import socket
import time
from urllib.parse import urlsplit

import pytest

from service.api.problems.documentation import MEDIA_TYPE
from tests.support.paths import ROOT


def said(server: str, request: bytes) -> tuple[str, dict[str, str], bytes]:
    """Status line, headers and body of the answer to these bytes, after which the connection is closed."""
    address = urlsplit(server)
    with socket.create_connection(
        (str(address.hostname), int(address.port or 0)), timeout=10
    ) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("ascii").split("\r\n")
    return (
        status,
        {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)},
        body,
    )


@pytest.mark.parametrize(
    "request_",
    [
        b"Doe^Jane\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64 + b"\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nno colon here\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
    ],
    ids=["words", "TLS", "bad header", "bad length"],
)
def test_bytes_that_are_no_http_request_are_a_problem_like_any_other(
    server: str, request_: bytes
) -> None:
    status, headers, body = said(server, request_)
    assert status == "HTTP/1.1 400 Bad Request"
    assert headers["content-type"] == MEDIA_TYPE
    problem = json.loads(body)
    assert problem["type"] == "urn:mammolens:malformed-request"
    assert problem["remedy"]
    assert b"Doe" not in body
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


IMAGE = ROOT.joinpath("docs", "sample.dcm").read_bytes()
OFFERS = {
    "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    "websocket": b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n",
}
SMUGGLED = b"GET /model HTTP/1.1\r\nHost: a\r\n\r\n"


def exchanged(server: str, *segments: bytes) -> list[bytes]:
    """The answers to these segments, sent one after the other, up to the close that the last request asks for."""
    address = urlsplit(server)
    with socket.create_connection(
        (str(address.hostname), int(address.port or 0)), timeout=10
    ) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for segment in segments:
            connection.sendall(segment)
            time.sleep(0.2)  # so that the next one is read apart
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    return received.split(b"HTTP/1.1 ")[1:]


def posted(offer: bytes, content_type: bytes, body: bytes, length: bytes) -> bytes:
    """The head of a POST to /predict that offers an upgrade, and the body."""
    return (
        b"POST /predict HTTP/1.1\r\nHost: a\r\n"
        + offer
        + b"Content-Type: "
        + content_type
        + b"\r\n"
        + length
        + body
    )


LAST = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%b\r\n--x--\r\n'
    % IMAGE
)


def length_of(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % len(body)


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
BODIES = {
    "raw": (b"application/dicom", IMAGE, length_of(IMAGE)),
    "form": (b"multipart/form-data; boundary=x", FORM, length_of(FORM)),
    "chunked": (b"application/dicom", b"%x\r\n%b\r\n0\r\n\r\n" % (len(IMAGE), IMAGE), CHUNKED),
}


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS.keys())
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("cut", [None, "in the head", "after the head", "in the body"])
def test_offered_upgrade_keeps_the_body(
    server: str, offer: bytes, body: tuple[bytes, bytes, bytes], cut: str | None
) -> None:
    request_ = posted(offer, *body)
    head = request_.index(b"\r\n\r\n") + 4
    place = {
        None: len(request_),
        "in the head": 90,
        "after the head": head,
        "in the body": head + 1000,
    }[cut]

    answers = exchanged(server, request_[:place], request_[place:] + LAST)

    assert [answer[:3] for answer in answers] == [b"200", b"200"]
    assert b'"prediction"' in answers[0]


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS.keys())
def test_body_is_never_the_next_request(server: str, offer: bytes) -> None:
    head = posted(offer, b"application/dicom", b"", length_of(SMUGGLED))

    answers = exchanged(server, head, SMUGGLED, LAST)

    assert [answer[:3] for answer in answers] == [b"415", b"200"]
    assert b"alive" in answers[1]


def test_connect_is_refused_and_closed(server: str) -> None:
    answers = exchanged(server, b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", SMUGGLED)

    assert [answer[:3] for answer in answers] == [b"400"]
