"""The served model: what is logged of it, and how one that cannot be loaded is told."""

import logging
from pathlib import Path

import pytest

from service.errors import BundleError, BundleMissing, BundleUnreadable
from service.model import Bundle, FakeModel
from service.observability.metrics import Metrics
from service.runtime import model_loader, served_model
from service.runtime.engine import Engine
from service.runtime.served_model import ServedModel
from service.settings import FAKE, Settings


@pytest.mark.anyio
async def test_start_logs_each_warning_once(caplog: pytest.LogCaptureFixture) -> None:
    served = ServedModel(Settings(model=FAKE), lambda _: FakeModel())

    with caplog.at_level(logging.WARNING, "mammolens"):
        await served.load()

    lines = [record.getMessage().split(": ")[:2] for record in caplog.records]
    assert lines == [
        ["model fake/1", code]
        for code in ("scorecard-failed", "no-effective-size", "no-curves", "no-provenance")
    ]


@pytest.mark.anyio
async def test_reload_tells_callers_no_path(caplog: pytest.LogCaptureFixture) -> None:
    """The log, which the operator reads, has the path."""
    model = Path("/srv/hospital/models/mine")

    def load(_: Settings) -> FakeModel:
        raise BundleMissing(f"There is no model bundle at {model / '7'}. Export one.")

    reloaded = ServedModel(Settings(model=model), load)

    with caplog.at_level(logging.ERROR, "mammolens"), pytest.raises(BundleMissing) as refused:
        await reloaded.reload()

    assert str(refused.value) == "There is no model bundle at mine/7. Export one."
    assert "/srv/hospital/models/mine/7" in caplog.text


@pytest.mark.parametrize("name", [".", "/"])
def test_folder_without_name_leaves_message(name: str) -> None:
    error = BundleMissing("There is no model bundle at 7. Export one.")

    assert str(error.for_callers(Path(name))) == str(error)


@pytest.mark.anyio
async def test_unreadable_directory_fails_first_load_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error is that of the load, which names the model."""

    def deny(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(model_loader, "newest_version", deny)
    monkeypatch.setattr(served_model, "stamp", deny)
    starting = Engine(Settings(model=Path("mine")), Metrics(), model_loader.load_model)

    with pytest.raises(BundleUnreadable, match="Model mine cannot be read: Permission denied"):
        await starting.serve_newest()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            ImportError("libtensorflow.so.2: failed to map segment\nsecond line"),
            "TensorFlow cannot be imported: libtensorflow.so.2: failed to map segment",
        ),
        (MemoryError(), "There is not enough memory to load model mine."),
        (OSError(116, "Stale file handle"), "Model mine cannot be read: Stale file handle."),
    ],
)
def test_failed_load_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Bundle, "load", fail)

    with pytest.raises(BundleError) as refused:
        model_loader.load_model(Settings(model=Path("mine")))

    assert str(refused.value) == line
