"""Who had which image looked at by which model: one JSON object a line, appended to a file that only its owner reads.

The image is named by a keyed hash of its bytes (HMAC-SHA256, RFC 2104): whoever has the file and the key can find its
lines, and without the key nothing can be learned from them. Nothing of the image itself is in them.
"""

import hmac
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

MINIMUM_KEY_LENGTH = 32
"""Characters of the key: a shorter one could be guessed, and with it which of some known images was sent."""


class AuditLost(OSError):
    """A line of the audit cannot be written; the answer that it would attest must not be given."""


@dataclass(frozen=True, slots=True)
class Line:
    """One inference. `time`: RFC 3339, UTC. `image`: see `Audit.fingerprint`. `outcome`: `ok`, or what went wrong."""

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
    """The file of the audit. It is opened anew for each line, so that it may be moved away at any time.

    Raises:
        AuditLost: it cannot be written.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._key = key.encode()
        os.close(self._open())

    def fingerprint(self, data: bytes) -> str:
        """The keyed hash of an image's bytes, in hexadecimal; takes milliseconds for a mammogram."""
        return hmac.digest(self._key, data, "sha256").hex()

    def write(self, line: Line) -> None:
        """Appends the line whole.

        Raises:
            AuditLost: it cannot be written.
        """
        text = json.dumps(asdict(line)).encode() + b"\n"
        file = self._open()
        try:
            written = os.write(file, text)  # one call: lines of several processes do not mix
        except OSError as error:
            raise AuditLost(f"The audit log {self._path} cannot be written: {error.strerror}.") from error
        finally:
            os.close(file)
        if written < len(text):
            raise AuditLost(f"The audit log {self._path} took a part of a line only.")

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise AuditLost(f"The audit log {self._path} cannot be opened: {error.strerror}.") from error
