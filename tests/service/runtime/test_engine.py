"""The engine: what it logs at its start, and its watch for new versions of the model."""

import asyncio
import logging
from collections.abc import Iterator

import pytest

from service.model import FakeModel
from service.observability.metrics import Metrics
from service.runtime import engine
from service.runtime.engine import Engine
from service.settings import FAKE, Settings


@pytest.mark.anyio
async def test_start_logs_each_warning_once(caplog: pytest.LogCaptureFixture) -> None:
    engine_of_fake = Engine(Settings(model=FAKE), Metrics(), lambda _: FakeModel())

    with caplog.at_level(logging.WARNING, "mammolens"):
        await engine_of_fake.load()

    lines = [record.getMessage().split(": ")[:2] for record in caplog.records]
    assert lines == [
        ["model fake/1", code]
        for code in ("scorecard-failed", "no-effective-size", "no-provenance")
    ]


@pytest.mark.anyio
async def test_unreadable_model_directory_keeps_the_service(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The errors are logged, and the next version is loaded once the directory is readable."""
    loaded: list[FakeModel] = []
    stamps: Iterator[object] = iter(
        ["first", PermissionError(13, "Permission denied"), FileNotFoundError(2, "Gone")]
    )

    def stamp(_: object) -> object:
        next_stamp = next(stamps, "second")
        if isinstance(next_stamp, OSError):
            raise next_stamp
        return next_stamp

    def load(_: Settings) -> FakeModel:
        loaded.append(FakeModel())
        return loaded[-1]

    monkeypatch.setattr(engine, "stamp", stamp)
    watched = Engine(Settings(model=FAKE, watch_seconds=0.01), Metrics(), load)

    with caplog.at_level(logging.ERROR, "mammolens"):
        watching = asyncio.create_task(watched.serve_newest())
        async with asyncio.timeout(10):
            while len(loaded) < 2:
                await asyncio.sleep(0.01)
                assert not watching.done()
        watching.cancel()

    assert "Permission denied" in caplog.text
    assert "Gone" in caplog.text
