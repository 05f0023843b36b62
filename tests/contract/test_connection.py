"""The ends of a connection: TLS, bounds of what is thrown away, slow readers, idle clients."""

import datetime as dt
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from service.api import protocol
from service.api.connection import discard
from service.settings import Settings
from tests.support.protocol_server import serving
from tests.support.raw_http import (
    LAST,
    address_of,
    exchange_segments,
    post,
    received_until_close,
    statuses,
)

LARGE_ANSWER = 50_000_000


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse /refuse unread, answer /large at length, and repeat the headers after the body."""
    assert scope["type"] == "http"
    request = Request(scope, receive)
    if request.url.path == "/refuse":
        answer: Response = PlainTextResponse("no", 403)
    elif request.url.path == "/large":
        answer = Response(bytes(LARGE_ANSWER))
    else:
        await request.body()
        answer = PlainTextResponse(" ".join(request.headers))
    await answer(scope, receive, send)


@pytest.fixture(scope="module")
def plain_server() -> Iterator[str]:
    with serving(application) as address:
        yield address


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )

    path = tmp_path_factory.mktemp("tls") / "server.pem"
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(pem + signed.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def tls_connection(server: str, certificate: Path) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=str(certificate))
    with (
        socket.create_connection(address_of(server), timeout=20) as connection,
        context.wrap_socket(connection, server_hostname="127.0.0.1") as secure,
    ):
        yield secure


def answer_of_length(connection: socket.socket) -> bytes:
    """Return an answer with the body `no`: TLS stays open after it."""
    answer = b""
    while not answer.endswith(b"\r\n\r\nno"):
        received = connection.recv(65_536)
        assert received, "the connection ended before the answer"
        answer += received
    return answer


def test_early_answer_arrives_over_tls(certificate: Path) -> None:
    request = post(bytes(3_000_000), "text/plain", "Connection: close", path="/refuse")

    with serving(application, certificate=certificate) as server:
        for _ in range(10):
            with tls_connection(server, certificate) as connection:
                connection.sendall(request)
                assert answer_of_length(connection).startswith(b"HTTP/1.1 403 ")


def test_answered_request_closes_tls_at_once(certificate: Path) -> None:
    with (
        serving(application, certificate=certificate) as server,
        tls_connection(server, certificate) as connection,
    ):
        connection.sendall(LAST)
        begun = time.monotonic()

        assert received_until_close(connection).startswith(b"HTTP/1.1 200 ")
        assert time.monotonic() - begun < discard.IDLE_SECONDS / 2


def test_trailer_is_no_header(plain_server: str) -> None:
    request = (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b"1\r\na\r\n0\r\nAuthorization: a\r\n\r\n"
    )

    answers = exchange_segments(plain_server, request)

    assert answers[0].endswith(b"host transfer-encoding connection")


UNENDED = b"POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n"


def seconds_until_cut(connection: socket.socket, size: int, pause: float) -> float:
    """Send until the server no longer takes it, for at most 10 seconds."""
    begun = time.monotonic()
    with suppress(ConnectionError):
        while time.monotonic() - begun < 10:
            connection.sendall(bytes(size))
            time.sleep(pause)
    return time.monotonic() - begun


@pytest.mark.parametrize("line", [b"", b"Connection: close\r\n"], ids=["kept", "closed"])
@pytest.mark.parametrize(
    ("bound", "value", "size", "pause"),
    [("DISCARD_BYTES", 1_000_000, 100_000, 0.0), ("DISCARD_SECONDS", 1.0, 1, 0.05)],
    ids=["bytes", "seconds"],
)
def test_sender_is_cut_off_after_answer(  # noqa: PLR0913, PLR0917 - fixtures and parameters
    plain_server: str,
    monkeypatch: pytest.MonkeyPatch,
    line: bytes,
    bound: str,
    value: float,
    size: int,
    pause: float,
) -> None:
    monkeypatch.setattr(discard, bound, value)
    monkeypatch.setattr(discard, "IDLE_SECONDS", 0.5)

    with socket.create_connection(address_of(plain_server), timeout=20) as connection:
        connection.sendall(UNENDED + line + b"\r\n")
        assert answer_of_length(connection).startswith(b"HTTP/1.1 403 ")

        assert seconds_until_cut(connection, size, pause) < 5


def test_idle_sender_is_cut_off_after_answer(
    plain_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discard, "IDLE_SECONDS", 0.3)

    with socket.create_connection(address_of(plain_server), timeout=5) as connection:
        connection.sendall(UNENDED + b"\r\n")

        assert answer_of_length(connection).startswith(b"HTTP/1.1 403 ")
        assert connection.recv(1) == b""


def test_slow_reader_gets_all_of_last_answer(
    plain_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes longer than a sender may be idle."""
    monkeypatch.setattr(discard, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(discard, "DISCARD_SECONDS", 0.2)
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.4)

    size = 0
    with socket.create_connection(address_of(plain_server), timeout=5) as connection:
        connection.sendall(LAST.replace(b"/livez", b"/large"))
        while received := connection.recv(1_000_000):
            size += len(received)
            time.sleep(0.01)

    assert size > LARGE_ANSWER


def test_client_that_takes_nothing_is_disconnected(
    plain_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)

    with socket.create_connection(address_of(plain_server), timeout=5) as connection:
        connection.sendall(LAST.replace(b"/livez", b"/large"))
        time.sleep(1)

        assert len(received_until_close(connection)) < LARGE_ANSWER


def test_slow_head_is_cut_off_behind_an_answer(
    plain_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    request = b"GET / HTTP/1.1\r\nHost: a\r\n"

    answers = exchange_segments(plain_server, request + b"\r\n" + request)

    assert statuses(answers) == [200]


def test_idle_connection_is_closed_after_setting() -> None:
    settings = Settings(keep_alive_seconds=1)

    with (
        serving(application, settings) as server,
        socket.create_connection(address_of(server), timeout=10) as connection,
    ):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(65_536)
        answered = time.monotonic()

        assert connection.recv(65_536) == b""
        assert 0.5 < time.monotonic() - answered < 5


def test_connection_is_idle_again_after_thrown_away_body() -> None:
    with (
        serving(application, Settings(keep_alive_seconds=1)) as server,
        socket.create_connection(address_of(server), timeout=10) as connection,
    ):
        request = post(bytes(300_000), "text/plain", path="/refuse")
        connection.sendall(request[:-1])
        answer_of_length(connection)
        connection.sendall(request[-1:])

        assert connection.recv(65_536) == b""


def test_chain_of_requests_is_answered_in_order(plain_server: str) -> None:
    chain = b"".join(
        b"POST / HTTP/1.1\r\nHost: a\r\nx-%d: a\r\nContent-Length: 3\r\n\r\nabc" % number
        for number in range(2000)
    )

    answers = exchange_segments(plain_server, chain + LAST)

    assert statuses(answers) == [200] * 2001
    assert all(b" x-%d " % number in answer for number, answer in enumerate(answers[:-1]))
