"""Helpers for clients of an application in this process."""

import time

from fastapi.testclient import TestClient


def until_ready(client: TestClient) -> None:
    """Wait up to 30 seconds until the app is ready."""
    deadline = time.monotonic() + 30
    while client.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline, "the service did not become ready"
        time.sleep(0.01)
