import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from service.observability import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, uvicorn = root.handlers[:], root.level, logging.getLogger("uvicorn").level
    request_id = logs.REQUEST_ID.set(None)
    yield
    logs.REQUEST_ID.reset(request_id)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("uvicorn").setLevel(uvicorn)


@pytest.mark.parametrize("form", ["json", "text"])
def test_an_exception_is_logged_with_its_types_and_places_but_never_its_message(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: form == "text")
    secret = "Doe^Jane"
    logs.configure()
    try:
        int(secret)
    except ValueError as error:
        error.__cause__ = KeyError(secret)
        logging.getLogger("uvicorn.error").exception("failed")
    written = capsys.readouterr().err
    assert "builtins.ValueError" in written
    assert "builtins.KeyError" in written
    assert "test_logs.py" in written
    assert secret not in written
    assert (len(written.splitlines()) == 1) == (form == "json")


def test_of_uvicorn_only_warnings_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("mammolens").info("listening")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "listening"


def test_a_line_is_an_object_with_time_level_logger_message_fields_and_request(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure()
    logs.REQUEST_ID.set("a-request")
    logging.getLogger("mammolens.access").warning(
        "%s\n%d", "two", 2, extra={"fields": {"status": 200}}
    )
    (line,) = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    time = datetime.fromisoformat(found.pop("time"))
    assert time.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - time) < timedelta(minutes=1)
    assert found == {
        "level": "WARNING",
        "logger": "mammolens.access",
        "message": "two\n2",
        "request_id": "a-request",
        "status": 200,
    }


def test_a_terminal_gets_text_with_the_request_at_its_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    logs.configure()
    logging.getLogger("mammolens").info("listening")
    logs.REQUEST_ID.set("a-request")
    logging.getLogger("mammolens").info("asked")
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("INFO mammolens: listening")
    assert second.endswith("INFO mammolens: asked [a-request]")
