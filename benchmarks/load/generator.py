"""Load from a process of its own that costs little: an asyncio protocol on uvloop, a request's bytes prepared once.

Open streams send each request when it is due, whatever became of those before, over as many connections as that takes;
latency counts from when it was due. So a server that stalls makes every request late that was due in the stall, and
all of them show (a generator that waits for answers hides the wait: coordinated omission).
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
"""The status of a request whose client ran out of patience and closed its connection."""
LOST = -1
"""The status of a request whose connection the server refused or closed."""
_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request: when it was due and how long it took from then on, in seconds, and its status."""

    due: float
    seconds: float
    status: int


@dataclass(frozen=True, slots=True)
class Stream:
    """Requests of one kind, with connections of their own.

    `times`: when each is due, in seconds from the start, rising. `clients`: instead of times, so many that each send
    their next request when they have the answer to their last, for `seconds`. `patience`: seconds from sending until a
    client closes its connection.
    """

    request: bytes
    times: Sequence[float] = ()
    clients: int = 0
    seconds: float = 0
    patience: float = 30


@dataclass(frozen=True, slots=True)
class Record:
    """The answers of each stream by its name, and the generator's own share of a core."""

    answers: Mapping[str, list[Answer]]
    cpu_share: float


def poisson(rate: float, seconds: float, seed: int = 1) -> list[float]:
    """The times of independent arrivals, so many a second on average."""
    draw, times, now = random.Random(seed), [], 0.0  # noqa: S311 - reproducible, no secret
    while (now := now + draw.expovariate(rate)) < seconds:
        times.append(now)
    return times


def uniform(rate: float, seconds: float) -> list[float]:
    """The times of arrivals at equal distances."""
    return [number / rate for number in range(int(rate * seconds))]


def request(
    path: str,
    body: bytes | None = None,
    content_type: str = "application/dicom",
    timeout: float | None = None,
) -> bytes:
    """The bytes of a POST, or of a GET if there is no body; `timeout`: seconds for the header Request-Timeout."""
    lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if body is not None:
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    if timeout is not None:
        lines.append(f"Request-Timeout: {timeout:g}")
    return "\r\n".join(lines).encode() + _HEAD_END + (body or b"")


def send(port: int, streams: Mapping[str, Stream]) -> Record:
    """What becomes of the streams, sent side by side to that port of this machine by a process of their own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(generate, port, streams).result()


def generate(port: int, streams: Mapping[str, Stream]) -> Record:
    """The same in this process."""
    return uvloop.run(_generate(port, streams))


async def _generate(port: int, streams: Mapping[str, Stream]) -> Record:
    wall, cpu = time.perf_counter(), time.process_time()
    senders = {name: _Sender(port, stream, wall) for name, stream in streams.items()}
    await asyncio.gather(*(sender.run() for sender in senders.values()))
    share = (time.process_time() - cpu) / (time.perf_counter() - wall)
    return Record({name: sender.answers for name, sender in senders.items()}, share)


class _Sender:
    """One stream under way."""

    def __init__(self, port: int, stream: Stream, start: float) -> None:
        self.stream = stream
        self.answers: list[Answer] = []
        self.idle: list[_Connection] = []
        self._port = port
        self._start = start

    async def run(self) -> None:
        await (self._open() if self.stream.times else self._closed())
        for connection in self.idle[:]:
            connection.transport.abort()

    def _now(self) -> float:
        return time.perf_counter() - self._start

    async def _open(self) -> None:
        async with asyncio.TaskGroup() as sent:
            for due in self.stream.times:
                if (wait := due - self._now()) > 0:
                    await asyncio.sleep(wait)
                sent.create_task(self._ask(due))

    async def _closed(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(self.stream.clients)))

    async def _client(self) -> None:
        while (now := self._now()) < self.stream.seconds:
            await self._ask(now)

    async def _ask(self, due: float) -> None:
        status = await self._status()
        self.answers.append(Answer(due, self._now() - due, status))

    async def _status(self) -> int:
        try:
            connection = self.idle.pop() if self.idle else await self._connect()
        except OSError:
            return LOST
        return await connection.ask()

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: _Connection(self), "127.0.0.1", self._port
        )
        return connection


class _Connection(asyncio.Protocol):
    """A connection, and the request under way on it if there is one."""

    transport: asyncio.Transport

    def __init__(self, sender: _Sender) -> None:
        self._sender = sender
        self._inbox = b""
        self._answer: asyncio.Future[int] | None = None

    async def ask(self) -> int:
        """The status of a request, sent now."""
        loop = asyncio.get_running_loop()
        self._answer, self._inbox = loop.create_future(), b""
        self.transport.write(self._sender.stream.request)
        leave = loop.call_later(self._sender.stream.patience, self._end, LEFT)
        try:
            return await self._answer
        finally:
            leave.cancel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps what to write to."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Ends the request when its answer is complete; of the answer only status and length are read."""
        self._inbox += data
        head, found, body = self._inbox.partition(_HEAD_END)
        if not found or self._answer is None:
            return
        headers = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
        length = headers.get(b"content-length")
        if length is not None and len(body) < int(length):
            return
        unsent = self.transport.get_write_buffer_size()  # refused before the body was read
        keep = (
            length is not None
            and not unsent
            and headers.get(b"connection", b"").strip() != b"close"
        )
        self._end(int(head[9:12]), keep=keep)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the request, if there is one."""
        del exc
        if self in self._sender.idle:
            self._sender.idle.remove(self)
        self._end(LOST)

    def _end(self, status: int, *, keep: bool = False) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_result(status)
        if keep:
            self._sender.idle.append(self)
        else:
            self.transport.abort()
