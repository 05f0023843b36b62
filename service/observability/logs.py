"""Logging: one line per event. Of a library's exception its types and places are logged.

Its message is not: it may quote its input, for example a header value that names a person. Our own
exceptions say in `is_loggable` that their messages quote nothing, and errors of the system are
described by their number.

A terminal gets text, anything else JSON: one object a line, with `time`, `level`, `logger`,
`message`, the `request_id` if the line belongs to a request, the fields that the caller passed in
`extra={"fields": {...}}`, and `exception`.
"""

import json
import logging
import os
import subprocess
import sys
import threading
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

_RELAY = Path(__file__).with_name("native_relay.py")

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""ID of the request that this task or thread works on."""

_Info = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _Formatter(logging.Formatter):
    def formatException(self, ei: _Info) -> str:  # noqa: N802 - overrides the library's method
        lines: list[str] = []
        error = ei[1]
        while error is not None:
            lines += traceback.format_tb(error.__traceback__)
            lines.append(f"{type(error).__module__}.{type(error).__qualname__}{_reason(error)}\n")
            error = error.__cause__ or error.__context__

        return "".join(lines).rstrip()


def _reason(error: BaseException) -> str:
    """Return the message of an exception that quotes nothing, with a colon before it."""
    if getattr(type(error), "is_loggable", False):
        return f": {error}"
    if isinstance(error, OSError) and error.errno is not None:
        return f": {os.strerror(error.errno)}"
    return ""


class _TextFormatter(_Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(  # noqa: N802 - overrides the library's method
        self, record: logging.LogRecord
    ) -> str:
        request_id = REQUEST_ID.get()
        return super().formatMessage(record) + (f" [{request_id}]" if request_id else "")


class _JsonFormatter(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }

        request_id = REQUEST_ID.get()
        if request_id is not None:
            line["request_id"] = request_id

        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class EndOnFault:
    """Context manager that logs an exception without its message and ends the process (code 1)."""

    def __enter__(self) -> None:
        """Enter the context."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Exit the process if there was an exception other than SystemExit."""
        if error is not None and kind is not SystemExit:
            logging.getLogger("mammolens").error("unexpected error, process ends", exc_info=error)
            sys.exit(1)


def configure() -> None:
    """Send the lines of all loggers to standard error.

    Of uvicorn and httpx only warnings and errors are logged. Of libraries that read headers nothing
    is: their lines quote identifiers and values.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_TextFormatter() if sys.stderr.isatty() else _JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for library in ("uvicorn", "httpx"):
        logging.getLogger(library).setLevel(logging.WARNING)
    for library in ("highdicom", "pydicom"):
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)


def relay_native_output() -> None:
    """Turn what native libraries write to standard error into lines of the log.

    A terminal gets it as it is. The relay is a process of its own, so that the last words of a
    library that aborts the service are not lost. Python goes on writing to standard error itself.
    """
    if sys.stderr.isatty():
        return

    original = os.fdopen(os.dup(2), "w", buffering=1)
    relay = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-I", "-S", str(_RELAY)], stdin=subprocess.PIPE, stdout=original
    )
    if relay.stdin is not None:
        os.dup2(relay.stdin.fileno(), 2)
        relay.stdin.close()
    relay.returncode = 0  # it ends after this process, which need not wait for it
    sys.stderr = original


def log_stray_faults() -> None:
    """Log warnings and uncaught exceptions, wherever they arise, as all else is logged."""
    logging.captureWarnings(capture=True)
    log = logging.getLogger("mammolens")

    def report(kind: type[BaseException], error: BaseException | None) -> None:
        if not issubclass(kind, KeyboardInterrupt | SystemExit):
            log.error("unexpected error", exc_info=error)

    sys.excepthook = lambda kind, error, _: report(kind, error)
    threading.excepthook = lambda fault: report(fault.exc_type, fault.exc_value)
    sys.unraisablehook = lambda fault: report(fault.exc_type, fault.exc_value)
