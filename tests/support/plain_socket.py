"""Requests as bytes over a plain socket."""

import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class PlainAnswer:
    """Status, head and body of an answer."""

    status: int
    head: str
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The problem in the body."""
        problem: dict[str, Any] = json.loads(self.body)
        return problem


def connect(address: str, source: str = "127.0.0.1") -> socket.socket:
    """Connect to the server at that URL from that address of this machine."""
    url = urlsplit(address)
    assert url.hostname is not None
    assert url.port is not None
    return socket.create_connection((url.hostname, url.port), 60, (source, 0))


def head(
    content_type: str, length: int, *more: str, path: str = "/predict", version: str = "1.1"
) -> bytes:
    """Return the head of a POST. `more`: further header lines."""
    lines = [
        f"POST {path} HTTP/{version}",
        "Host: a",
        f"Content-Type: {content_type}",
        f"Content-Length: {length}",
        *more,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def receive(connection: socket.socket) -> PlainAnswer:
    """Read one answer that has a length."""
    with connection.makefile("rb") as stream:
        lines = list(iter(lambda: stream.readline().decode("latin-1").rstrip("\r\n"), ""))
        assert lines, "the server closed the connection"
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        body = stream.read(int(fields["content-length"]))
    return PlainAnswer(int(lines[0].split()[1]), "\n".join(lines).lower(), body)


def exchange(address: str, request: bytes, source: str = "127.0.0.1") -> PlainAnswer:
    """Send a request and return the answer, which may come before the whole body is sent."""
    with connect(address, source) as connection:
        with suppress(ConnectionError):
            connection.sendall(request)
        return receive(connection)
