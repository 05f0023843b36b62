"""Answers that are given before the body was read: they arrive, and nothing is read for ever."""

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.raw_http import (
    LAST,
    address_of,
    exchange_segments,
    post,
    received_until_close,
    statuses,
)
from tests.support.servers import Start

SIZES = [300_000, 3_000_000]
DICOM = "application/dicom"


@pytest.fixture(scope="module")
def strict_server(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server that wants keys, and has none."""
    keys: Path = tmp_path_factory.mktemp("keys") / "keys.toml"
    keys.touch()
    with start(MAMMOLENS_KEYS=str(keys)) as started:
        yield started.address


@pytest.fixture(scope="module")
def small_server(start: Start) -> Iterator[str]:
    """Address of a server that takes 1000 bytes, and three requests a minute from each caller."""
    with start(MAMMOLENS_MAX_UPLOAD_BYTES="1000", MAMMOLENS_RATE_PER_MINUTE="3") as started:
        yield started.address


def assert_arrives(server: str, status: int, make: Callable[[bytes], bytes]) -> None:
    """Ask ten times with each size of body; the answer must arrive every time."""
    for size in SIZES:
        request = make(bytes(size))
        answers = [exchange_segments(server, request) for _ in range(10)]
        assert [statuses(answer) for answer in answers] == [[status]] * 10


CLOSE = "Connection: close"
REFUSALS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "type": (415, lambda body: post(body, "text/plain", CLOSE)),
    "HTTP/1.0": (415, lambda body: post(body, "text/plain", version="1.0")),
    "path": (404, lambda body: post(body, DICOM, CLOSE, path="/none")),
    "method": (405, lambda body: post(body, DICOM, CLOSE, path="/livez")),
    "option": (422, lambda body: post(body, DICOM, CLOSE, path="/gradcam?method=none")),
    "head": (431, lambda body: post(body, DICOM, "a: " + 40_000 * "b")),
    "host": (400, lambda body: post(body, DICOM, "Host: b")),
}


@pytest.mark.parametrize(("status", "make"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refusal_of_sender_arrives(
    server: str, status: int, make: Callable[[bytes], bytes]
) -> None:
    assert_arrives(server, status, make)


def test_refusal_without_key_arrives(strict_server: str) -> None:
    assert_arrives(strict_server, 401, lambda body: post(body, DICOM, CLOSE))


def test_refusal_of_size_and_rate_arrives(small_server: str) -> None:
    answers = [
        exchange_segments(small_server, post(bytes(3_000_000), DICOM, CLOSE)) for _ in "12345"
    ]

    assert [statuses(answer) for answer in answers] == [[413], [413], [413], [429], [429]]


def test_refusal_while_draining_arrives(start: Start) -> None:
    """A request in flight keeps the server draining."""
    with start() as server, socket.create_connection(address_of(server.address)) as busy:
        busy.sendall(post(bytes(10), DICOM)[:-5])
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)

        assert_arrives(server.address, 503, lambda body: post(body, DICOM))
        busy.sendall(bytes(5))


def test_lingering_client_does_not_delay_shutdown_for_long(start: Start) -> None:
    with start(MAMMOLENS_DEADLINE_SECONDS="1") as server:
        with socket.create_connection(address_of(server.address)) as client:
            client.sendall(post(bytes(1_000_000), "text/plain", CLOSE)[:-1000])
            assert received_until_close(client)

            server.process.send_signal(signal.SIGTERM)
            begun = time.monotonic()
            while server.process.poll() is None and time.monotonic() - begun < 20:
                time.sleep(0.1)
                try:
                    client.sendall(b"a")
                except OSError:
                    break
            server.process.wait(timeout=10)

        # The deadline, 5 seconds of grace, and the time that a busy machine takes to end.
        assert time.monotonic() - begun < 9


def test_connection_goes_on_after_early_answer(server: str) -> None:
    refused = post(bytes(3_000_000), "text/plain")

    answers = exchange_segments(server, refused[:200_000], refused[200_000:] + LAST)

    assert statuses(answers) == [415, 200]


def test_bytes_after_last_answer_are_no_request(server: str) -> None:
    last = post(bytes(300_000), "text/plain", CLOSE)

    answers = exchange_segments(server, last[:1000], last[1000:] + LAST, pause=0.2)

    assert statuses(answers) == [415]


def test_malformed_request_waits_for_answers_before_it(server: str) -> None:
    first = b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n"

    answers = exchange_segments(server, 3 * first + b"nonsense\r\n\r\n" + LAST)

    assert statuses(answers) == [200, 200, 200, 400]
    assert json.loads(answers[-1].partition(b"\r\n\r\n")[2])["status"] == 400
