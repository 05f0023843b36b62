"""A running service, called over HTTP like a client would."""

from collections.abc import Iterator

import pytest

from tests.support.servers import Start, running


@pytest.fixture(scope="session")
def start() -> Start:
    """Start `python -m service` with the fake model in a separate process, and stop it."""
    return running


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of a server with the fake model."""
    with running() as started:
        yield started.address
