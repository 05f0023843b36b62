"""Heads of requests: bounded in bytes and number, and read as RFC 9112 says."""

import json
import re
import urllib.request

import pytest

from tests.support.raw_http import LAST, exchange_segments, statuses

GET = b"GET /livez HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

LARGE = {
    "many headers": GET + 101 * b"a: b\r\n" + b"\r\n",
    "large headers": GET + 9 * (b"a: " + 4000 * b"b" + b"\r\n") + b"\r\n",
    "endless header": GET + b"a: " + 200_000 * b"b",
    "endless name": GET + 200_000 * b"a",
    "endless URL": b"GET /" + 200_000 * b"a",
    "endless method": 200_000 * b"\r\n",
    "endless trailers": CHUNKED + b"0\r\n" + 101 * b"a: b\r\n",
    "endless trailer": CHUNKED + b"0\r\na: " + 200_000 * b"b",
    "endless extension": CHUNKED + b"1;" + 200_000 * b"a",
}


@pytest.mark.parametrize("head", LARGE.values(), ids=LARGE.keys())
def test_large_head_is_refused(server: str, head: bytes) -> None:
    answers = exchange_segments(server, head[:50], head[50:], pause=0.02)

    last = answers[-1]
    assert statuses(answers) in ([431], [415])  # 415 where the body was refused before
    if statuses(answers) == [431]:
        assert json.loads(last.partition(b"\r\n\r\n")[2])["type"] == "urn:mammolens:head-too-large"
        assert b"connection: close" in last


def test_head_within_bounds_is_read(server: str) -> None:
    head = GET + 97 * (b"a: " + 320 * b"b" + b"\r\n") + b"Connection: close\r\n\r\n"

    assert len(head) < 32 * 1024
    assert statuses(exchange_segments(server, head)) == [200]


FAULTY = {
    "no host": b"GET /livez HTTP/1.1\r\n\r\n",
    "two hosts": GET + b"Host: b\r\n\r\n",
    "HTTP/2.0": b"GET /livez HTTP/2.0\r\nHost: a\r\n\r\n",
    "preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /livez\r\n\r\n",
    "length and chunked": POST
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": POST
    + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "signed length": POST + b"Content-Length: +5\r\n\r\nabcde",
    "another coding": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "blank before colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "folded header": POST + b"a: b\r\n c\r\n\r\n",
    "LF without CR": POST + b"a: b\nContent-Length: 5\r\n\r\nabcde",
    "CR without LF": POST + b"a: b\rContent-Length: 5\r\n\r\nabcde",
    "NUL": POST + b"a: \0\r\n\r\n",
}


@pytest.mark.parametrize("request_", FAULTY.values(), ids=FAULTY.keys())
def test_faulty_head_ends_connection(server: str, request_: bytes) -> None:
    """Proxies may read these in another way, so nothing behind them is a request."""
    assert statuses(exchange_segments(server, request_ + LAST)) == [400]


FAULTY_CHUNKS = {
    "LF": b"1\na\n0\r\n\r\n",
    "prefix": b"0x1\r\na\r\n0\r\n\r\n",
    "overflow": b"10000000000000001\r\na\r\n0\r\n\r\n",
    "longer": b"1\r\nab\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("chunks", FAULTY_CHUNKS.values(), ids=FAULTY_CHUNKS.keys())
def test_faulty_chunk_ends_connection(server: str, chunks: bytes) -> None:
    head = CHUNKED.replace(b"text/plain", b"application/dicom")

    assert statuses(exchange_segments(server, head, chunks + LAST)) == [400]


def test_http_1_0_needs_no_host(server: str) -> None:
    assert statuses(exchange_segments(server, b"GET /livez HTTP/1.0\r\n\r\n")) == [200]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_head_answers_as_get_without_body(server: str, path: str) -> None:
    answers = []
    for method in ("GET", "HEAD"):
        request = f"{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
        answers += exchange_segments(server, request)

    changing = rb"(x-request-id|date|server-timing): [^\r]*\r\n"
    heads = [re.sub(changing, b"", answer.partition(b"\r\n\r\n")[0]) for answer in answers]
    assert heads[0] == heads[1]
    assert b"content-length: " in heads[1]
    assert answers[1].endswith(b"\r\n\r\n")


def test_answers_do_not_name_the_server(server: str) -> None:
    with urllib.request.urlopen(f"{server}/livez", timeout=10) as answer:  # noqa: S310 - loopback
        assert answer.headers["Server"] is None
        assert answer.headers["Date"]
