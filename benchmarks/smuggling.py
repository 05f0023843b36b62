"""Tries to smuggle requests past proxies in bodies that follow the offer of an upgrade.

    python -m benchmarks.smuggling [--tries 200]

A try is a POST to /predict that offers an upgrade. Its body, sent later, holds a request that the
proxy refuses, or whose answer would be one too many. The table counts such requests in the log of
the service, tries with more or other answers than one to the POST, and tries without an answer.
Each count has to be 0.
"""

import argparse
import re
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.load.ours import SERVER
from benchmarks.load.servers import Server, started
from benchmarks.proxies import HOSTS, PROXIES, proxied

DIRECT = "none"
FRONTS = (DIRECT, *PROXIES)

_OFFERS = (
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n",
    b"Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n",
)
_TARGETS = (b"POST /model/reload", b"GET /model")
_PADDINGS = (0, 400_000)
_FRAMINGS = ("length", "chunked")
_REFUSALS = {b"415", b"400"}
"""Answers to a body that is no image, and of a proxy that refuses the request."""


@dataclass(slots=True)
class SmugglingCount:
    """Tries, and what must not have happened in them."""

    tries: int = 0
    executed: int = 0
    answered_otherwise: int = 0
    unanswered: int = 0


def attack(port: int, log: Path, tries: int) -> SmugglingCount:
    """Try every combination of offer, request, body and framing in turn.

    `log`: of the service.
    """
    count = SmugglingCount(tries)
    before = _smuggled_lines(log)
    for number in range(tries):
        head, body = _make_try(number)
        answers = _send(port, head, body, pause=(0.02, 0.1)[number % 5 == 0])
        if not answers:
            count.unanswered += 1
        elif len(answers) > 1 or answers[0][:3] not in _REFUSALS:
            count.answered_otherwise += 1

    time.sleep(0.5)  # for the last line of the log
    count.executed = _smuggled_lines(log) - before
    return count


def _make_try(number: int) -> tuple[bytes, bytes]:
    number, offer = divmod(number, len(_OFFERS))
    number, target = divmod(number, len(_TARGETS))
    number, padding = divmod(number, len(_PADDINGS))
    framing = _FRAMINGS[number % len(_FRAMINGS)]

    smuggled = _TARGETS[target] + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    body = b"\r\n" * _PADDINGS[padding] + smuggled
    length = b"Content-Length: %d\r\n" % len(body)
    if framing == "chunked":
        length = b"Transfer-Encoding: chunked\r\n"
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)

    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/dicom\r\n"
    return head + _OFFERS[offer] + length + b"\r\n", body


def _send(port: int, head: bytes, body: bytes, pause: float) -> list[bytes]:
    """Return the answers that come until none has come for a fifth of a second."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection.sendall(head)
            time.sleep(pause)
            connection.sendall(body)
            while chunk := connection.recv(65_536):
                received += chunk
                connection.settimeout(0.2)
        except (TimeoutError, ConnectionError):
            pass
    return received.split(b"HTTP/1.1 ")[1:]


def _smuggled_lines(log: Path) -> int:
    lines = log.read_text(encoding="utf-8", errors="replace")
    return len(re.findall(r'"message": "(?:POST /model/reload|GET /model) ', lines))


@contextmanager
def front(proxy: str, port: int, folder: Path) -> Iterator[int]:
    """Yield the port at which callers reach the service."""
    with ExitStack() as stack:
        yield port if proxy == DIRECT else stack.enter_context(proxied(proxy, port, folder))


def _server() -> Server:
    return replace(SERVER, environment={**SERVER.environment, "MAMMOLENS_ALLOWED_HOSTS": HOSTS})


def main() -> int:
    """Print the table; return 1 if anything was smuggled."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tries", type=int, default=200, help="for each proxy (default 200)")
    options = parser.parse_args()

    faults = 0
    print("| proxy | tries | smuggled requests | answered otherwise | unanswered |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / "service.log"
        with log.open("wb") as stream, started(_server(), stream) as server:
            for proxy in FRONTS:
                with front(proxy, server.port, folder) as port:
                    count = attack(port, log, options.tries)
                faults += count.executed + count.answered_otherwise + count.unanswered
                print(
                    f"| {proxy} | {count.tries} | {count.executed} | {count.answered_otherwise} "
                    f"| {count.unanswered} |",
                    flush=True,
                )
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
