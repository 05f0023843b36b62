"""Slow senders and the memory for bodies, in a running server."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from statistics import median
from urllib.request import urlopen

import pytest

from tests.support.paths import ROOT
from tests.support.plain_socket import PlainAnswer, connect, exchange, head, receive
from tests.support.servers import running

SAMPLE = (ROOT / "docs" / "sample.dcm").read_bytes()
PREDICTION = head("application/dicom", len(SAMPLE)) + SAMPLE
OTHER = "127.0.0.2"
"""Another address of this machine: another caller."""


def metric(server: str, name: str) -> float:
    with urlopen(f"{server}/metrics", timeout=30) as answer:  # noqa: S310 - loopback
        sample = re.search(rf"^{re.escape(name)} (\S+)$", answer.read().decode(), re.MULTILINE)
    return float(sample[1]) if sample else 0.0


def seconds_of_predictions(server: str, count: int) -> list[float]:
    """Return the time of each of `count` predictions, one after the other."""
    times = []
    for _ in range(count):
        start = time.monotonic()
        assert exchange(server, PREDICTION).status == 200
        times.append(time.monotonic() - start)
    return times


@contextmanager
def slow_senders(server: str, count: int) -> Iterator[list[socket.socket]]:
    """Hold connections that declare a large body and send 1 byte of it each second."""
    end = threading.Event()
    with ExitStack() as stack:
        connections = [stack.enter_context(connect(server, OTHER)) for _ in range(count)]
        for connection in connections:
            connection.sendall(head("application/dicom", 27_000_000) + b"a")

        def drip() -> None:
            while not end.wait(1):
                for connection in connections:
                    with suppress(OSError):
                        connection.sendall(b"a")

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            yield connections
        finally:
            end.set()
            dripping.join()


@pytest.mark.parametrize("count", [12, 64])
def test_slow_senders_delay_no_ordinary_prediction(server: str, count: int) -> None:
    """Each slow body gets 408 after 5 seconds. No slot waits for it."""
    usual = median(seconds_of_predictions(server, 3))

    with slow_senders(server, count) as connections:
        beside = seconds_of_predictions(server, 5)
        answers = [receive(connection) for connection in connections]

    assert median(beside) < 2 * usual + 0.2
    assert max(beside) < 4
    assert {answer.status for answer in answers} == {408}
    assert metric(server, "mammolens_body_bytes") == 0


@pytest.fixture(scope="module")
def small_server() -> Iterator[str]:
    """A server with room for 2 MB of bodies, 1 MB of them for one caller.

    A body must arrive at 100 kB/s, after 0.3 seconds.
    """
    with running(
        MAMMOLENS_MAX_UPLOAD_BYTES="1000000",
        MAMMOLENS_MAX_BODY_BYTES="2000000",
        MAMMOLENS_UPLOAD_SECONDS="0.3",
        MAMMOLENS_MIN_UPLOAD_RATE="100000",
    ) as started:
        yield started.address


@contextmanager
def held(server: str, size: int, source: str = "127.0.0.1") -> Iterator[None]:
    """Send `size` bytes of a body that lacks one byte, and wait until they have arrived."""
    before = metric(server, "mammolens_body_bytes")
    with connect(server, source) as connection:
        connection.sendall(head("application/dicom", size + 1) + bytes(size))
        while metric(server, "mammolens_body_bytes") < before + size:
            time.sleep(0.01)
        yield


def assert_refused_for_memory(answer: PlainAnswer, server: str, refused_before: float) -> None:
    assert (answer.status, answer.problem["type"]) == (429, "urn:mammolens:busy")
    assert "memory" in answer.problem["detail"]
    assert "retry-after: 2" in answer.head
    name = 'mammolens_refused_total{lane="predict",reason="memory"}'
    assert metric(server, name) == refused_before + 1


def refused(server: str) -> float:
    return metric(server, 'mammolens_refused_total{lane="predict",reason="memory"}')


def test_caller_holds_half_of_the_memory(small_server: str) -> None:
    """A declared length is refused before the body, other callers are served."""
    before = refused(small_server)

    with held(small_server, 900_000):
        answer = exchange(small_server, head("application/dicom", 200_000))
        other = exchange(small_server, PREDICTION, OTHER)

    assert_refused_for_memory(answer, small_server, before)
    assert other.status == 200


def test_bodies_of_all_callers_are_bounded(small_server: str) -> None:
    """A chunked body has no length: it is refused when it has outgrown the room."""
    before = refused(small_server)
    chunked = head("application/dicom", 0).replace(
        b"Content-Length: 0", b"Transfer-Encoding: chunked"
    )

    with held(small_server, 900_000), held(small_server, 900_000, OTHER):
        answer = exchange(small_server, chunked + b"40000\r\n" + bytes(0x40000), "127.0.0.3")

    assert_refused_for_memory(answer, small_server, before)


def test_departed_sender_frees_its_memory(small_server: str) -> None:
    with held(small_server, 900_000):
        pass

    deadline = time.monotonic() + 10
    while metric(small_server, "mammolens_body_bytes"):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def send_at(server: str, rate: int) -> tuple[PlainAnswer, float]:
    """Send a prediction at so many bytes a second and return the answer and its time."""
    start = time.monotonic()
    with connect(server) as connection:
        connection.settimeout(0.05)
        sent = 0
        while sent < len(PREDICTION):
            due = int((time.monotonic() - start) * rate) + 1
            with suppress(ConnectionError):
                connection.sendall(PREDICTION[sent:due])
            sent = due
            with suppress(TimeoutError):
                if connection.recv(1, socket.MSG_PEEK):
                    break
        connection.settimeout(30)
        return receive(connection), time.monotonic() - start


def test_honest_sender_takes_its_time(small_server: str) -> None:
    """At four times the minimum rate the body takes 1.1 s, and the grace is 0.3 s."""
    answer, seconds = send_at(small_server, 400_000)

    assert answer.status == 200
    assert seconds > 1


def test_slow_body_is_cut_off_early(small_server: str) -> None:
    """At half the minimum rate, 0.3 s + bytes / minimum rate is reached after 0.6 s."""
    answer, seconds = send_at(small_server, 50_000)

    assert (answer.status, answer.problem["type"]) == (408, "urn:mammolens:upload-too-slow")
    assert 0.3 < seconds < 3


def test_deadline_ends_the_upload(small_server: str) -> None:
    """The client's own deadline comes before the end of its grace."""
    request = head("application/dicom", 9, "Request-Timeout: 0.1") + b"a"

    answer = exchange(small_server, request)

    assert (answer.status, answer.problem["type"]) == (504, "urn:mammolens:deadline-passed")
