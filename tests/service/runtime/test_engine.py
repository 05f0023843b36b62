import asyncio
import logging
from collections.abc import Iterator

import pytest

from service.model import FakeModel
from service.observability.metrics import Metrics
from service.runtime import engine
from service.runtime.engine import Engine
from service.settings import FAKE, Settings


def test_unreadable_model_directory_keeps_the_service(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    loaded: list[FakeModel] = []
    stamps: Iterator[object] = iter(
        ["first", PermissionError(13, "Permission denied"), FileNotFoundError(2, "Gone")]
    )

    def stamp(_: object) -> object:
        seen = next(stamps, "second")
        if isinstance(seen, OSError):
            raise seen
        return seen

    def load(_: Settings) -> FakeModel:
        loaded.append(FakeModel())
        return loaded[-1]

    async def watch_until_second_version_is_loaded() -> None:
        watched = Engine(Settings(model=FAKE, watch_seconds=0.01), Metrics(), load)
        watching = asyncio.create_task(watched.serve_newest())
        async with asyncio.timeout(10):
            while len(loaded) < 2:
                await asyncio.sleep(0.01)
                assert not watching.done()
        watching.cancel()

    monkeypatch.setattr(engine, "stamp", stamp)
    with caplog.at_level(logging.ERROR, "mammolens"):
        asyncio.run(watch_until_second_version_is_loaded())

    assert "Permission denied" in caplog.text
    assert "Gone" in caplog.text
