"""The log lines, as JSON and as text."""

import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.observability import logs
from service.observability.audit import AuditLost

pytestmark = pytest.mark.usefixtures("restored_logging")


@pytest.fixture(autouse=True)
def no_request_id() -> Iterator[None]:
    request_id = logs.REQUEST_ID.set(None)

    yield

    logs.REQUEST_ID.reset(request_id)


@pytest.mark.parametrize("form", ["json", "text"])
def test_exception_is_logged_without_its_message(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Its types and places are logged."""
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


def test_message_of_own_error_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """Of an error of the system its number is described, without the file that it names."""
    secret = "Doe^Jane"
    logs.configure()

    try:
        try:
            Path("/none", secret).read_bytes()
        except OSError as error:
            raise AuditLost("The audit log /var/audit cannot be written.") from error
    except AuditLost:
        logging.getLogger("mammolens").exception("failed")

    (line,) = capsys.readouterr().err.splitlines()
    exception = json.loads(line)["exception"]
    assert "AuditLost: The audit log /var/audit cannot be written." in exception
    assert "builtins.FileNotFoundError: No such file or directory" in exception
    assert secret not in line


def test_info_of_uvicorn_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()

    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("mammolens").info("listening")

    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "listening"


def test_json_line_has_all_members(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure()
    logs.REQUEST_ID.set("a-request")

    logging.getLogger("mammolens.access").warning(
        "%s\n%d", "two", 2, extra={"fields": {"status": 200}}
    )

    (line,) = capsys.readouterr().err.splitlines()
    members = json.loads(line)
    time = datetime.fromisoformat(members.pop("time"))
    assert time.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - time) < timedelta(minutes=1)
    assert members == {
        "level": "WARNING",
        "logger": "mammolens.access",
        "message": "two\n2",
        "request_id": "a-request",
        "status": 200,
    }


def test_terminal_line_ends_with_request_id(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    logs.configure()

    logging.getLogger("mammolens").info("listening")
    logs.REQUEST_ID.set("a-request")
    logging.getLogger("mammolens").info("answered")

    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("INFO mammolens: listening")
    assert second.endswith("INFO mammolens: answered [a-request]")


@pytest.mark.parametrize("name", ["highdicom.base", "pydicom"])
def test_libraries_that_read_headers_log_nothing(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    logs.configure()

    logging.getLogger(name).critical("copy attributes of 1.2.3, Doe^Jane")

    assert capsys.readouterr().err == ""
