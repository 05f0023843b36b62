"""Attackers that hold connections: heads without an end, and bodies that arrive byte by byte."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import repeat

_CONNECT_PAUSE_SECONDS = 0.02  # before a connection that was closed is opened again
_SLOW_HEAD = (
    b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/dicom\r\n"
    b"Content-Length: 27000000\r\n\r\n"
)

Pieces = Callable[[], Iterator[bytes]]
"""Makes the pieces that one connection sends, one after the other."""


def many_headers() -> Iterator[bytes]:
    """Yield a head of short headers without an end."""
    yield b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    yield from repeat(b"a: b\r\n" * 10_000)


def one_header() -> Iterator[bytes]:
    """Yield a head with one header without an end."""
    yield b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\na: "
    yield from repeat(b"b" * 60_000)


def long_url() -> Iterator[bytes]:
    """Yield a URL without an end."""
    yield b"GET /"
    yield from repeat(b"b" * 60_000)


def slow_body() -> Iterator[bytes]:
    """Yield the head of an upload, then its body byte by byte."""
    yield _SLOW_HEAD
    yield from repeat(b"\0")


async def hold(port: int, connections: int, pieces: Pieces, pause: float = 0) -> None:
    """Hold that many connections, each with its own pieces, `pause` seconds apart.

    A connection that the service closes is opened again.
    """
    await asyncio.gather(*(_reopen(port, pieces, pause) for _ in range(connections)))


async def _reopen(port: int, pieces: Pieces, pause: float) -> None:
    while True:
        with suppress(OSError):
            await _send(port, pieces(), pause)
        await asyncio.sleep(_CONNECT_PAUSE_SECONDS)


async def _send(port: int, pieces: Iterator[bytes], pause: float) -> None:
    """Send the pieces until the service ends its side of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    ended = asyncio.ensure_future(reader.read())

    try:
        for piece in pieces:
            if ended.done():
                return
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
    finally:
        ended.cancel()
        writer.transport.abort()
