"""Audit log: which caller ran which image through which model.

One JSON object a line, appended to a file that only its owner can read. The image is named by a
keyed hash of its bytes (HMAC-SHA256, RFC 2104). The file and the key together lead to the lines of
an image. Without the key the lines say nothing about it. Nothing of the image itself is written.

Writers lock the file (flock), so several services may share it. A line that a full disk has cut
short is taken back. If even that fails, the next line begins on a line of its own.
"""

import hmac
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from service.host.file_lock import lock

MIN_KEY_LENGTH = 32
"""Characters of the key.

A shorter key could be guessed, and a guess tells which of some known images was sent.
"""
_TRIAL_SECONDS = 1.0  # between two trials whether the file can be written again


class AuditLost(OSError):
    """A line of the audit cannot be written, so the answer that it records must not be given."""

    is_loggable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One inference.

    `time`: RFC 3339, UTC. `image`: see `Audit.fingerprint`. `outcome`: `ok`, or the name of the
    problem. `exam`: the ID of the exam that the image is of, `-` for an image alone.
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
    exam: str = "-"


class Audit:
    """The audit file. It is opened for each line, so that it may be rotated at any time.

    `lost_lines`: number of lines that could not be written.

    Raises:
        AuditLost: the file cannot be written.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._key = key.encode()
        self._lock = threading.Lock()
        self._failure: str | None = None
        self._trial_bytes = 1
        self._next_trial = 0.0
        self.lost_lines = 0
        with self._open():
            pass

    @property
    def is_failing(self) -> bool:
        """Whether the last line could not be written, and no trial has succeeded since."""
        return self._failure is not None

    def fingerprint(self, data: bytes) -> str:
        """Return the keyed hash of an image's bytes, in hexadecimal.

        Takes milliseconds for a mammogram.
        """
        return hmac.digest(self._key, data, "sha256").hex()

    def write(self, *records: AuditRecord) -> None:
        """Append one line for each record, all of them or none.

        Raises:
            AuditLost: the lines cannot be written. Nothing of them stays in the file.
        """
        lines = b"".join(json.dumps(asdict(record)).encode() + b"\n" for record in records)
        try:
            self._append(lines, keep=True)
        except AuditLost as error:
            with self._lock:
                self.lost_lines += len(records)
                self._trial_bytes = max(self._trial_bytes, len(lines))
                self._next_trial = time.monotonic() + _TRIAL_SECONDS
                self._failure = str(error)
            raise
        self._failure = None

    def check(self) -> None:
        """Return at once if the last line was written, or try whether a line can be written now.

        A trial writes as many blanks as the longest lost lines and takes them back, at most once a
        second.

        Raises:
            AuditLost: no line can be written.
        """
        with self._lock:
            failure = self._failure
            is_due = time.monotonic() >= self._next_trial
            if is_due:
                self._next_trial = time.monotonic() + _TRIAL_SECONDS

        if failure is None:
            return
        if not is_due:
            raise AuditLost(failure)
        self._append(b" " * (self._trial_bytes - 1) + b"\n", keep=False)
        self._failure = None

    def _append(self, lines: bytes, *, keep: bool) -> None:
        """Append the lines whole or not at all. If not to be kept, take them back as well."""
        with self._open() as file:
            before = os.fstat(file).st_size
            try:
                _write_all(file, _separator(file, before) + lines)
            except OSError as error:
                _take_back(file, before)
                raise self._lost("written", error) from error
            if not keep:
                _take_back(file, before)

    @contextmanager
    def _open(self) -> Iterator[int]:
        """Open and lock the file. The lock ends with the descriptor."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            file = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise self._lost("opened", error) from error

        try:
            try:
                lock(file)
            except OSError as error:
                raise self._lost("locked", error) from error
            yield file
        finally:
            os.close(file)

    def _lost(self, verb: str, error: OSError) -> AuditLost:
        return AuditLost(f"The audit log {self._path} cannot be {verb}: {error.strerror}.")


def _separator(file: int, size: int) -> bytes:
    """Return the line break that the file needs if it ends with a part of a line."""
    if size == 0 or os.pread(file, 1, size - 1) == b"\n":
        return b""
    return b"\n"


def _write_all(file: int, data: bytes) -> None:
    """Write the data. A full disk takes a part of it, and gives its reason at the next call."""
    while data:
        data = data[os.write(file, data) :]


def _take_back(file: int, size: int) -> None:
    """Cut the file back to its size. If that fails, `_separator` ends the line later."""
    with suppress(OSError):
        if os.fstat(file).st_size > size:
            os.ftruncate(file, size)
