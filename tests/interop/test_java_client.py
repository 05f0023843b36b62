"""The HTTP client of the JDK, which many clients written in Java are built on."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import SAMPLE
from tests.support.servers import running

pytestmark = pytest.mark.interop

PROGRAM = Path(__file__).with_name("Predict.java")


def test_default_client_of_the_jdk_posts_images() -> None:
    """It offers an upgrade to HTTP/2 with every first request on a connection."""
    java = shutil.which("java")
    assert java, "java is missing: run requirements/outside"

    with running() as server:
        command = [java, str(PROGRAM), server.address, str(SAMPLE)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    assert done.stdout.splitlines() == ["200 HTTP_1_1"] * 10
