"""A client that leaves before its exam is answered."""

import socket
import time
from urllib.parse import urlsplit

import httpx

from tests.support.paths import SAMPLE
from tests.support.servers import Start

IMAGES = 8


def metric(server: str, name: str) -> float:
    """Return the value of a metric, 0 before its first sample."""
    lines = httpx.get(f"{server}/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def exam() -> bytes:
    """Return a request about eight copies of the sample."""
    part = b'--XX\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
    body = (part + SAMPLE.read_bytes() + b"\r\n") * IMAGES + b"--XX--\r\n"
    head = (
        "POST /exam HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=XX\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def test_images_of_departed_client_are_not_computed(start: Start) -> None:
    """One reader reads them in turn, so most have not begun when the client leaves."""
    with start(MAMMOLENS_READERS="1") as running:
        server = running.address
        url = urlsplit(server)
        with socket.create_connection((str(url.hostname), url.port or 0)) as connection:
            connection.sendall(exam())
            deadline = time.monotonic() + 20
            while not metric(server, 'mammolens_in_flight{lane="explain"}'):
                assert time.monotonic() < deadline, "the exam got no slot"
                time.sleep(0.002)

        while metric(server, 'mammolens_in_flight{lane="explain"}'):
            assert time.monotonic() < deadline + 20, "the exam kept its slot"
            time.sleep(0.01)
        computed = metric(server, "mammolens_batch_size_sum")
        abandoned = metric(server, 'mammolens_abandoned_total{lane="explain"}')
        held = metric(server, "mammolens_body_bytes")

    assert abandoned == 1
    assert computed < IMAGES
    assert held == 0
