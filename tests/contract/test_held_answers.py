"""Answers whose bytes count as held until the client has taken them, over a socket."""

import socket
import time
from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from service.api import held_response, protocol
from service.api.held_response import HeldResponse
from service.api.negotiation import MediaType
from service.runtime.body_memory import BodyMemory, HeldAnswer
from tests.support.protocol_server import serving
from tests.support.raw_http import LAST, address_of, received_until_close

PART = bytes(range(256)) * 100_000
MEMORY = BodyMemory(2**40, 2**40)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with two large objects."""
    held = HeldAnswer(MEMORY, "caller", 0)
    held.add(PART)
    held.add(PART)
    await HeldResponse(held, MediaType.RELATED, {})(scope, receive, send)


@pytest.fixture
def held_server() -> Iterator[str]:
    with serving(application) as address:
        yield address


def wait_until_free() -> None:
    deadline = time.monotonic() + 5
    while MEMORY.held_bytes:
        assert time.monotonic() < deadline, "the objects are still held"
        time.sleep(0.01)


def test_objects_are_held_while_client_takes_them(held_server: str) -> None:
    with socket.create_connection(address_of(held_server), timeout=5) as connection:
        connection.sendall(LAST)
        begin = connection.recv(100_000)
        assert MEMORY.held_bytes == 2 * len(PART)

        rest = received_until_close(connection)

    body = begin + rest
    assert body.count(PART) == 2
    wait_until_free()


def test_client_that_takes_nothing_frees_the_objects(
    held_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)

    with socket.create_connection(address_of(held_server), timeout=5) as connection:
        connection.sendall(LAST)
        connection.recv(100_000)

        wait_until_free()


def test_client_that_takes_little_frees_the_objects(
    held_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes something every time that the server looks."""
    monkeypatch.setattr(held_response, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(held_response, "MIN_RATE", 2**40)

    with socket.create_connection(address_of(held_server), timeout=5) as connection:
        connection.sendall(LAST)
        end = time.monotonic() + 2
        while time.monotonic() < end and connection.recv(1000):
            time.sleep(0.05)
            if not MEMORY.held_bytes:
                break

    assert time.monotonic() < end, "the objects are still held"


def test_departed_client_frees_the_objects(held_server: str) -> None:
    with socket.create_connection(address_of(held_server), timeout=5) as connection:
        connection.sendall(LAST)
        connection.recv(100_000)

    wait_until_free()
