"""What the server says before any application is asked."""

import json
import socket
from urllib.parse import urlsplit

import pytest

from service.api.problems import MEDIA_TYPE


def said(server: str, request: bytes) -> tuple[str, dict[str, str], bytes]:
    """Status line, headers and body of the answer to these bytes, after which the connection is closed."""
    address = urlsplit(server)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("ascii").split("\r\n")
    return status, {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}, body


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
def test_bytes_that_are_no_http_request_are_a_problem_like_any_other(server: str, request_: bytes) -> None:
    status, headers, body = said(server, request_)
    assert status == "HTTP/1.1 400 Bad Request"
    assert headers["content-type"] == MEDIA_TYPE
    problem = json.loads(body)
    assert problem["type"] == "urn:mammolens:malformed-request"
    assert problem["remedy"]
    assert b"Doe" not in body
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
