"""Answers of the HTTP server below the application."""

import json
import socket
import time
from urllib.parse import urlsplit

import pytest

from service.api.problems.documentation import MEDIA_TYPE
from tests.support.paths import ROOT

Address = tuple[str, int]


def address_of(server: str) -> Address:
    url = urlsplit(server)
    return str(url.hostname), int(url.port or 0)


def received_until_close(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def exchange(server: str, request: bytes) -> tuple[str, dict[str, str], bytes]:
    """Send these bytes and return status line, headers and body of the answer.

    The server must close the connection after the answer.
    """
    with socket.create_connection(address_of(server), timeout=10) as connection:
        connection.sendall(request)
        answer = received_until_close(connection)

    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("ascii").split("\r\n")
    fields = (line.partition(": ") for line in lines)
    return status, {name.lower(): value for name, _, value in fields}, body


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
def test_malformed_request_is_a_problem(server: str, request_: bytes) -> None:
    status, headers, body = exchange(server, request_)

    assert status == "HTTP/1.1 400 Bad Request"
    assert headers["content-type"] == MEDIA_TYPE
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"

    problem = json.loads(body)
    assert problem["type"] == "urn:mammolens:malformed-request"
    assert problem["remedy"]
    assert b"Doe" not in body


IMAGE = ROOT.joinpath("docs", "sample.dcm").read_bytes()
OFFERS = {
    "h2c": (
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    ),
    "websocket": b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n",
}
SMUGGLED = b"GET /model HTTP/1.1\r\nHost: a\r\n\r\n"


def exchange_segments(server: str, *segments: bytes) -> list[bytes]:
    """Send these segments one after the other and return all answers up to the close."""
    with socket.create_connection(address_of(server), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for segment in segments:
            connection.sendall(segment)
            time.sleep(0.2)  # so that the server reads each segment separately
        received = received_until_close(connection)
    return received.split(b"HTTP/1.1 ")[1:]


def post_with_upgrade(offer: bytes, content_type: bytes, body: bytes, length: bytes) -> bytes:
    """Return a POST to /predict with an upgrade offer. `length`: header of the body's length."""
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
def test_upgrade_offer_keeps_the_body(
    server: str, offer: bytes, body: tuple[bytes, bytes, bytes], cut: str | None
) -> None:
    request_ = post_with_upgrade(offer, *body)
    head = request_.index(b"\r\n\r\n") + 4
    position = {
        None: len(request_),
        "in the head": 90,
        "after the head": head,
        "in the body": head + 1000,
    }[cut]

    answers = exchange_segments(server, request_[:position], request_[position:] + LAST)

    assert [answer[:3] for answer in answers] == [b"200", b"200"]
    assert b'"prediction"' in answers[0]


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS.keys())
def test_body_is_never_read_as_a_request(server: str, offer: bytes) -> None:
    head = post_with_upgrade(offer, b"application/dicom", b"", length_of(SMUGGLED))

    answers = exchange_segments(server, head, SMUGGLED, LAST)

    assert [answer[:3] for answer in answers] == [b"415", b"200"]
    assert b"alive" in answers[1]


def test_many_upgrade_offers_in_one_packet(server: str) -> None:
    offer = b"GET /livez HTTP/1.1\r\nHost: a\r\n" + OFFERS["h2c"] + b"\r\n"

    answers = exchange_segments(server, 1_500 * offer + LAST)

    assert {answer[:3] for answer in answers} == {b"200"}
    assert len(answers) == 1_501


def test_connect_is_refused_and_closed(server: str) -> None:
    answers = exchange_segments(server, b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", SMUGGLED)

    assert [answer[:3] for answer in answers] == [b"400"]
