"""Requests as bytes over plain sockets, and what comes back."""

import socket
import time
from urllib.parse import urlsplit

from tests.support.plain_socket import head

LAST = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
"""A request after whose answer the server closes the connection."""


def address_of(server: str) -> tuple[str, int]:
    """Return host and port of a server's URL."""
    url = urlsplit(server)
    return str(url.hostname), int(url.port or 0)


def received_until_close(connection: socket.socket) -> bytes:
    """Return everything that comes until the server closes its half."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def exchange_segments(server: str, *segments: bytes, pause: float = 0.05) -> list[bytes]:
    """Send these segments one after the other and return all answers up to the close."""
    with socket.create_connection(address_of(server), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number, segment in enumerate(segments):
            if number and pause:
                time.sleep(pause)  # so that the server reads each segment separately
            connection.sendall(segment)
        received = received_until_close(connection)
    return received.split(b"HTTP/1.1 ")[1:]


def post(
    body: bytes, content_type: str, *lines: str, path: str = "/predict", version: str = "1.1"
) -> bytes:
    """Return a POST with its length. `lines`: further headers."""
    return head(content_type, len(body), *lines, path=path, version=version) + body


def statuses(answers: list[bytes]) -> list[int]:
    """Return the status codes of answers."""
    return [int(answer[:3]) for answer in answers]
