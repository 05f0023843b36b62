"""The relay, which turns the output of native libraries into lines of the log."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from service.observability import native_relay
from service.observability.native_relay import as_log_line


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("I0000 00:00:1795.43 1 port.cc:153] oneDNN custom operations are on.", "INFO"),
        ("W0000 00:00:1795.43 1 cpu.cc:1] slow", "WARNING"),
        ("E0000 00:00:1795.43 1 util.cc:131] oneDNN supports DT_INT32 only", "WARNING"),
        ("F0000 00:00:1795.43 1 check.cc:2] Check failed", "CRITICAL"),
        ("WARNING: All log messages before absl::InitializeLog() is called", "WARNING"),
        ("terminate called after throwing an instance of 'std::bad_alloc'", "WARNING"),
        ("{no json", "WARNING"),
    ],
)
def test_line_has_level_by_its_severity(text: str, level: str) -> None:
    line = json.loads(as_log_line(text))

    assert (line["level"], line["logger"], line["message"]) == (level, "native", text)
    assert datetime.now(UTC) - datetime.fromisoformat(line["time"]) < timedelta(minutes=1)


def test_line_of_the_log_is_copied() -> None:
    line = '{"time": "t", "level": "INFO", "logger": "mammolens", "message": "of a reader"}'

    assert as_log_line(line) == line


def test_relay_copies_until_input_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", native_relay.__file__],
        input=b"one\n\nt\xc3\xa4 \xff\nlast words",
        capture_output=True,
        check=True,
    )

    lines = [json.loads(line)["message"] for line in done.stdout.splitlines()]
    assert lines == ["one", "t\u00e4 \ufffd", "last words"]
