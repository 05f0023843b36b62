"""Clients that other programs are built on, in their default settings: of the JDK, curl, Go."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import SAMPLE
from tests.support.servers import running

pytestmark = pytest.mark.interop

FOLDER = Path(__file__).parent


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running() as started:
        yield started.address


def lines_of(*command: str) -> list[str]:
    """Return the lines that a program prints."""
    path = shutil.which(command[0])
    assert path, f"{command[0]} is missing: run requirements/outside"

    environment = {**os.environ, "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    done = subprocess.run(
        [path, *command[1:]],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_default_client_of_the_jdk_posts_images(server: str) -> None:
    """It offers an upgrade to HTTP/2 with every first request on a connection."""
    lines = lines_of("java", str(FOLDER / "Predict.java"), server, str(SAMPLE))

    assert lines == ["200 HTTP_1_1"] * 30


def test_default_client_of_go_posts_images(server: str) -> None:
    lines = lines_of("go", "run", str(FOLDER / "predict.go"), server, str(SAMPLE))

    assert lines == ["200 HTTP/1.1"] * 20


FORM = ["-F", f"file=@{SAMPLE}"]
RAW = ["-H", "Content-Type: application/dicom", "--data-binary", f"@{SAMPLE}"]
CURL = {
    "form": FORM,
    "raw": RAW,
    "expecting": ["-H", "Expect: 100-continue", *FORM],
    "HTTP/2, form": ["--http2", *FORM],
    "HTTP/2, raw": ["--http2", *RAW],
    "HTTP/2, chunked": ["--http2", "-H", "Transfer-Encoding: chunked", *FORM],
    "HTTP/1.0, form": ["--http1.0", *FORM],
}


@pytest.mark.parametrize("options", CURL.values(), ids=CURL.keys())
def test_curl_posts_images(server: str, options: list[str]) -> None:
    for _ in range(10):
        shown = ["-s", "-o", os.devnull, "-w", "%{http_code}"]
        assert lines_of("curl", *shown, *options, f"{server}/predict") == ["200"]
