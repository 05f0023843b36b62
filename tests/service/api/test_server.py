"""Signals to the server process."""

import asyncio
import io
import logging
import signal
import sys
from logging import StreamHandler
from typing import Any

import pytest

from service.api.server import DrainingServer, configure
from service.observability.metrics import Metrics
from service.runtime.engine import Engine
from service.runtime.model_loader import load_model
from service.settings import FAKE, Settings
from tests.support.logs import told_to


class InterruptedFile(io.RawIOBase):
    """A file, such as standard error, into whose writing a signal arrives."""

    def __init__(self, server: DrainingServer) -> None:
        self._server = server

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._server.handle_exit(signal.SIGTERM, None)
        return len(data)


@pytest.fixture
def engine() -> Engine:
    return Engine(Settings(model=FAKE), Metrics(), load_model)


@pytest.fixture
def server(engine: Engine) -> DrainingServer:
    return DrainingServer(configure(None, Settings(model=FAKE)), engine, max_seconds=60)


def test_signal_during_a_log_line_drains(engine: Engine, server: DrainingServer) -> None:
    """A buffered file refuses a line that is written while another one is."""
    log = logging.getLogger("mammolens")
    buffer = io.BufferedWriter(InterruptedFile(server))
    standard_error = io.TextIOWrapper(buffer, line_buffering=True)

    with pytest.MonkeyPatch.context() as patch, told_to(StreamHandler(standard_error), log):
        patch.setattr(sys, "stderr", standard_error)
        log.info("a line that the signal interrupts")

    assert engine.is_draining


def test_draining_is_logged_once(server: DrainingServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mammolens")
    server.handle_exit(signal.SIGTERM, None)
    before = list(caplog.messages)

    for tick in range(2):
        asyncio.run(server.on_tick(tick))

    assert before == []
    assert caplog.messages == [
        "draining: new requests are rejected, admitted requests are answered"
    ]
