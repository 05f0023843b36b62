"""Audit log: which caller ran which image through which model.

One JSON object a line, appended to a file that only its owner can read. The image is named by a
keyed hash of its bytes (HMAC-SHA256, RFC 2104). The file and the key together lead to the lines of
an image. Without the key the lines say nothing about it. Nothing of the image itself is written.
"""

import hmac
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

MIN_KEY_LENGTH = 32
"""Characters of the key.

A shorter key could be guessed, and a guess tells which of some known images was sent.
"""


class AuditLost(OSError):
    """A line of the audit cannot be written, so the answer that it records must not be given."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One inference.

    `time`: RFC 3339, UTC. `image`: see `Audit.fingerprint`. `outcome`: `ok`, or the name of the
    problem.
    """

    time: str
    request_id: str
    caller: str
    route: str
    model: str
    version: int
    digest: str
    image: str
    outcome: str
    status: int


class Audit:
    """The audit file. It is opened for each line, so that it may be rotated at any time.

    Raises:
        AuditLost: the file cannot be written.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._key = key.encode()
        os.close(self._open())

    def fingerprint(self, data: bytes) -> str:
        """Return the keyed hash of an image's bytes, in hexadecimal.

        Takes milliseconds for a mammogram.
        """
        return hmac.digest(self._key, data, "sha256").hex()

    def write(self, record: AuditRecord) -> None:
        """Append one line.

        Raises:
            AuditLost: the line cannot be written, or only a part of it.
        """
        line = json.dumps(asdict(record)).encode() + b"\n"
        file = self._open()
        try:
            written = os.write(file, line)  # one call: lines of several processes do not mix
        except OSError as error:
            raise AuditLost(
                f"The audit log {self._path} cannot be written: {error.strerror}."
            ) from error
        finally:
            os.close(file)

        if written < len(line):
            raise AuditLost(f"Only a part of a line was written to the audit log {self._path}.")

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            return os.open(self._path, flags, 0o600)
        except OSError as error:
            raise AuditLost(
                f"The audit log {self._path} cannot be opened: {error.strerror}."
            ) from error
