"""Load generator that runs in a separate process.

It costs little processor time: an asyncio protocol on uvloop sends request bytes that are prepared
once.

Open streams send each request when it is due, however long earlier requests take, over any number
of connections. Latency counts from the time when the request was due. A server that stalls
therefore delays every request that is due during the stall, and all of these delays are recorded.
A generator that waits for answers would hide them (coordinated omission).
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import cast

import uvloop

LEFT = 0
"""Status of a request whose client ran out of patience and closed its connection."""
LOST = -1
"""Status of a request whose connection the server refused or closed."""
_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """Outcome of a request: when it was due, the seconds from then to its end, and its status."""

    due: float
    seconds: float
    status: int


@dataclass(frozen=True, slots=True)
class Stream:
    """Requests of one kind, with their own connections.

    An open stream has `times`, a closed loop has `clients` and `seconds`.

    Attributes:
        request: bytes of each request.
        times: due time of each request, in seconds from the start, ascending.
        clients: number of clients that send their next request when they have the last answer.
        seconds: time during which the clients send requests.
        patience: seconds from sending a request until its client closes the connection.
    """

    request: bytes
    times: Sequence[float] = ()
    clients: int = 0
    seconds: float = 0
    patience: float = 30


@dataclass(frozen=True, slots=True)
class Record:
    """Answers of each stream by its name, and the generator's own share of one core."""

    answers: Mapping[str, list[Answer]]
    cpu_share: float


def poisson(rate: float, seconds: float, seed: int = 1) -> list[float]:
    """Return the times of independent arrivals, `rate` a second on average."""
    draw = random.Random(seed)  # noqa: S311 - reproducible, no secret
    times: list[float] = []

    now = draw.expovariate(rate)
    while now < seconds:
        times.append(now)
        now += draw.expovariate(rate)
    return times


def uniform(rate: float, seconds: float) -> list[float]:
    """Return the times of arrivals at equal intervals."""
    return [number / rate for number in range(int(rate * seconds))]


def request(
    path: str,
    body: bytes | None = None,
    content_type: str = "application/dicom",
    timeout: float | None = None,
) -> bytes:
    """Return the bytes of a POST, or of a GET if there is no body.

    `timeout`: seconds for the header Request-Timeout.
    """
    lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if body is not None:
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    if timeout is not None:
        lines.append(f"Request-Timeout: {timeout:g}")

    return "\r\n".join(lines).encode() + _HEAD_END + (body or b"")


def send(port: int, streams: Mapping[str, Stream]) -> Record:
    """Send the streams side by side to this port of the local machine, from a separate process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(generate, port, streams).result()


def generate(port: int, streams: Mapping[str, Stream]) -> Record:
    """Send the streams from this process."""
    return uvloop.run(_generate(port, streams))


async def _generate(port: int, streams: Mapping[str, Stream]) -> Record:
    wall = time.perf_counter()
    cpu = time.process_time()

    senders = {name: _Sender(port, stream, wall) for name, stream in streams.items()}
    await asyncio.gather(*(sender.run() for sender in senders.values()))

    share = (time.process_time() - cpu) / (time.perf_counter() - wall)
    return Record({name: sender.answers for name, sender in senders.items()}, share)


class _Sender:
    """Sends one stream and records its answers."""

    def __init__(self, port: int, stream: Stream, start: float) -> None:
        self.stream = stream
        self.answers: list[Answer] = []
        self.idle: list[_Connection] = []
        self._port = port
        self._start = start

    async def run(self) -> None:
        await (self._open_stream() if self.stream.times else self._closed_loop())
        for connection in self.idle[:]:
            connection.transport.abort()

    def _now(self) -> float:
        return time.perf_counter() - self._start

    async def _open_stream(self) -> None:
        async with asyncio.TaskGroup() as requests:
            for due in self.stream.times:
                wait = due - self._now()
                if wait > 0:
                    await asyncio.sleep(wait)
                requests.create_task(self._send(due))

    async def _closed_loop(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(self.stream.clients)))

    async def _client(self) -> None:
        while (now := self._now()) < self.stream.seconds:
            await self._send(now)

    async def _send(self, due: float) -> None:
        status = await self._status()
        self.answers.append(Answer(due, self._now() - due, status))

    async def _status(self) -> int:
        """Send a request over an idle or a new connection and return its status."""
        try:
            connection = self.idle.pop() if self.idle else await self._connect()
        except OSError:
            return LOST
        return await connection.send()

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: _Connection(self), "127.0.0.1", self._port
        )
        return connection


class _Connection(asyncio.Protocol):
    """A connection with at most one request in flight."""

    transport: asyncio.Transport

    def __init__(self, sender: _Sender) -> None:
        self._sender = sender
        self._inbox = b""
        self._answer: asyncio.Future[int] | None = None

    async def send(self) -> int:
        """Send a request now and return the status of its answer."""
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        self._inbox = b""

        self.transport.write(self._sender.stream.request)
        leave = loop.call_later(self._sender.stream.patience, self._end, LEFT)
        try:
            return await self._answer
        finally:
            leave.cancel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """End the request when its answer is complete.

        Only the status, the length and the connection header of the answer are read.
        """
        self._inbox += data
        head, separator, body = self._inbox.partition(_HEAD_END)
        if not separator or self._answer is None:
            return

        headers = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
        length = headers.get(b"content-length")
        if length is not None and len(body) < int(length):
            return

        # A server that answers before it has read the whole body will not read the rest of it.
        is_sent = not self.transport.get_write_buffer_size()
        closes = headers.get(b"connection", b"").strip() == b"close"
        self._end(int(head[9:12]), keep=length is not None and is_sent and not closes)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the request in flight, if there is one."""
        del exc
        if self in self._sender.idle:
            self._sender.idle.remove(self)
        self._end(LOST)

    def _end(self, status: int, *, keep: bool = False) -> None:
        answer = self._answer
        self._answer = None
        if answer is not None and not answer.done():
            answer.set_result(status)

        if keep:
            self._sender.idle.append(self)
        else:
            self.transport.abort()
