"""A running service, as its users meet it."""

from collections.abc import Iterator

import pytest

from tests.support.servers import Start, running


@pytest.fixture(scope="session")
def start() -> Start:
    """Start `python -m service` with the fake model in a process of its own, and end it."""
    return running


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of a server with the fake model."""
    with running() as started:
        yield started.address
