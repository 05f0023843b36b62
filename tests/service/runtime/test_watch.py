"""The watch for new versions of the model: no error ends it, and each state is logged once."""

import asyncio
import logging
from collections.abc import Sequence

import pytest

from service.errors import BundleDamaged, BundleUnreadable
from service.model import Stamp
from service.runtime.watch import ModelWatch

FIRST: Stamp = (("1/manifest.json", 10, 1),)
SECOND: Stamp = (("2/manifest.json", 10, 2),)


async def watch(looks: Sequence[Stamp | OSError], loads: Sequence[Exception | None]) -> list[int]:
    """Watch for a while, and return the numbers of the looks that led to a load.

    `looks` and `loads`: what each look and each load gives; the last one is given again.
    """
    looked = 0
    loaded: list[int] = []

    def look() -> Stamp:
        nonlocal looked
        outcome = looks[min(looked, len(looks) - 1)]
        looked += 1
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    async def load() -> None:
        error = loads[min(len(loaded), len(loads) - 1)]
        loaded.append(looked)
        if error is not None:
            raise error

    watching = asyncio.create_task(ModelWatch(look, load, FIRST).run(0.001))
    async with asyncio.timeout(10):
        # The load that follows a look is over when the next look begins.
        while looked < len(looks) + 4:
            await asyncio.sleep(0.001)
            assert not watching.done()
    watching.cancel()
    return loaded


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mammolens")


@pytest.mark.anyio
async def test_unreadable_directory_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    denied = [PermissionError(13, "Permission denied")] * 5

    loaded = await watch([*denied, FIRST], [None])

    assert loaded == []
    assert [record.getMessage() for record in caplog.records] == [
        "the model directory cannot be read: Permission denied",
        "the newest version of the model can be read and is served",
    ]


@pytest.mark.anyio
async def test_new_version_is_loaded_once_readable() -> None:
    gone = FileNotFoundError(2, "No such file or directory")

    loaded = await watch([FIRST, gone, gone, SECOND], [None])

    assert loaded == [4]


@pytest.mark.anyio
async def test_unreadable_file_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """No stamp changes when a network share comes back."""
    unreadable = BundleUnreadable("Bundle 2 cannot be read: Input/output error.")

    loaded = await watch([SECOND], [unreadable, unreadable, unreadable, None])

    assert loaded == [1, 2, 3, 4]
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1


@pytest.mark.anyio
async def test_damaged_version_is_tried_when_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    repaired: Stamp = (("2/manifest.json", 11, 3),)

    loaded = await watch([SECOND, SECOND, SECOND, repaired], [BundleDamaged("Altered."), None])

    assert loaded == [1, 4]
    assert [record.getMessage() for record in caplog.records] == [
        "the new version of the model cannot be served: Altered.",
        "the newest version of the model can be read and is served",
    ]


@pytest.mark.anyio
async def test_unexpected_error_leaves_the_watch(caplog: pytest.LogCaptureFixture) -> None:
    """Its type and place are logged."""
    loaded = await watch([SECOND, FIRST, SECOND], [RuntimeError("Doe^Jane"), None])

    assert loaded == [1, 2, 3]
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [error.exc_info is not None for error in errors] == [True]
    assert "RuntimeError" in errors[0].getMessage()
    assert "Doe^Jane" not in errors[0].getMessage()
