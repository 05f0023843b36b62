"""How the service logs: one line an event, and of an exception its types and places, never its message.

The message of a foreign exception may quote what it choked on: a header's value, which may name a person.

A terminal gets text, everything else JSON: one object a line, with `time`, `level`, `logger`, `message`, the
`request_id` where the line belongs to a request, the fields that its writer gave in `extra={"fields": {...}}`, and
`exception`.
"""

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that is being answered, wherever it is worked on."""

_Info = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _Formatter(logging.Formatter):
    def formatException(self, ei: _Info) -> str:  # noqa: N802 - overrides the library's method
        lines: list[str] = []
        error = ei[1]
        while error is not None:
            lines += [
                *traceback.format_tb(error.__traceback__),
                f"{type(error).__module__}.{type(error).__qualname__}\n",
            ]
            error = error.__cause__ or error.__context__
        return "".join(lines).rstrip()


class _Text(_Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - overrides the library's method
        request_id = REQUEST_ID.get()
        return super().formatMessage(record) + (f" [{request_id}]" if request_id else "")


class _Json(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (request_id := REQUEST_ID.get()) is not None:
            line["request_id"] = request_id
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class EndOnFault:
    """A stretch of a process that ends it with exit code 1 over any exception, logged without its message."""

    def __enter__(self) -> None:
        """Begins it."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Ends it."""
        if error is not None and kind is not SystemExit:
            logging.getLogger("mammolens").error("a fault ended the process", exc_info=error)
            sys.exit(1)


def configure() -> None:
    """Sends every logger's lines to standard error in that form; of uvicorn's only warnings and worse."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Text() if sys.stderr.isatty() else _Json())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # what else is worth a line, the service says itself
