"""Answers of the HTTP server below the application."""

import json
import socket

import pytest

from service.api.problems.documentation import MEDIA_TYPE
from tests.support.paths import ROOT
from tests.support.raw_http import LAST, address_of, exchange_segments, received_until_close


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


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS.keys())
@pytest.mark.parametrize("length", [length_of(SMUGGLED), CHUNKED], ids=["length", "chunked"])
def test_upgrade_offer_arrives_byte_by_byte(server: str, offer: bytes, length: bytes) -> None:
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED) if length == CHUNKED else SMUGGLED
    request_ = post_with_upgrade(offer, b"application/dicom", body, length)

    bytes_ = [bytes([byte]) for byte in request_]
    answers = exchange_segments(server, *bytes_, LAST, pause=0.0005)

    assert [answer[:3] for answer in answers] == [b"415", b"200"]
    assert b"alive" in answers[1]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_upgrade_offers_are_pipelined(server: str, body: tuple[bytes, bytes, bytes]) -> None:
    request_ = post_with_upgrade(OFFERS["h2c"], *body)

    answers = exchange_segments(server, 3 * request_ + LAST)

    assert [answer[:3] for answer in answers] == [b"200"] * 4
    assert all(b'"prediction"' in answer for answer in answers[:3])
