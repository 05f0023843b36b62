"""Program that copies standard input to standard output, with each line as a line of the log.

A line that is one already is copied as it is. The program ends with its input.
"""

import json
import re
import signal
import sys
from datetime import UTC, datetime

# Of TensorFlow and absl: a letter, and the month and day, or the name of the level.
_LEVEL = re.compile(r"([IWEF])\d{4} |(INFO|WARNING|ERROR|FATAL): ")

# A library goes on after its own errors. If the service does not, it says so itself.
_LEVELS = {"I": "INFO", "INFO": "INFO", "F": "CRITICAL", "FATAL": "CRITICAL"}


def as_log_line(text: str) -> str:
    """Return the line as a JSON object with time, level, logger and message."""
    if _is_log_line(text):
        return text
    match = _LEVEL.match(text)
    level = match.group(1) or match.group(2) if match else ""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": _LEVELS.get(level, "WARNING"),
        "logger": "native",
        "message": text,
    }
    return json.dumps(line)


def _is_log_line(text: str) -> bool:
    if not text.startswith("{"):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def main() -> None:
    """Relay until the input ends, which no signal to the whole group of processes may prevent."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)

    for line in sys.stdin.buffer:
        text = line.decode("utf-8", "replace").rstrip()
        if text:
            sys.stdout.write(as_log_line(text) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
