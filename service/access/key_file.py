"""The key file as the service and its commands share it: where it is, its lock, and its reader."""

import asyncio
import fcntl
import hmac
import os
import time
from pathlib import Path
from typing import NamedTuple, Self

from service.access.callers import Caller
from service.access.keys import Key, hash_key, parse_keys
from service.errors import KeysUnavailable
from service.host.file_lock import LOCK_SECONDS

_NAME_IN_FOLDER = "keys.toml"
_LOCK_PAUSE_SECONDS = 0.01

# Two changes within one tick of the file system's clock have the same time.
_SETTLED_SECONDS = 2.0


class _Stamp(NamedTuple):
    """State of a file. A change of the file changes it, unless two follow closely."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        return cls(
            status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
        )

    def is_settled(self) -> bool:
        """Whether the next change is certain to have another stamp."""
        age = time.time() - max(self.modified_ns, self.changed_ns) / 1e9
        return age > _SETTLED_SECONDS


class KeyFile:
    """Key file that is read again whenever it has changed.

    Raises:
        KeysUnavailable: the file cannot be read or is not a key file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: _Stamp | None = None
        try:
            self._keys = read_keys(path)
        except KeysUnavailable as error:
            if not isinstance(error.__cause__, PermissionError):
                raise
            user = os.geteuid()
            remedy = f"The service runs as user {user}. Give the file to it: chown {user} FILE."
            raise KeysUnavailable(f"{error} {remedy}") from error

    async def find(self, secret: str) -> Caller | None:
        """Return the caller that owns the key `secret`, or None if the key is unknown.

        Raises:
            KeysUnavailable: the file can no longer be read or is no longer a key file.
        """
        await self._refresh()

        # Every key is compared, each in constant time, so that the duration reveals nothing.
        offered = hash_key(secret)
        match = None
        for key in self._keys:
            if hmac.compare_digest(key.sha256, offered):
                match = key

        return None if match is None else Caller.of(f"key:{match.name}", match.scopes)

    async def _refresh(self) -> None:
        try:
            file = locate(self._path)
            if self._stamp == _Stamp.of(file.stat()):
                return
            content, stamp = await _read_patiently(file)
        except OSError as error:
            raise _unreadable(error) from error

        self._keys = parse_keys(content)
        self._stamp = stamp if stamp.is_settled() else None


def locate(path: Path) -> Path:
    """Return the key file at `path`: the file `keys.toml` if that is a folder, or `path` itself."""
    return path / _NAME_IN_FOLDER if path.is_dir() else path


def read_keys(path: Path) -> tuple[Key, ...]:
    """Return the entries of the key file at `path`. Wait while a command is writing it.

    Raises:
        KeysUnavailable: the file cannot be read or is not a key file.
    """
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return parse_keys(_read(locate(path))[0])
        except BlockingIOError as error:
            if time.monotonic() > end:
                raise _unreadable(error) from error
            time.sleep(_LOCK_PAUSE_SECONDS)
        except OSError as error:
            raise _unreadable(error) from error


async def _read_patiently(file: Path) -> tuple[bytes, _Stamp]:
    """Return the content of a file, and wait while a command is writing it.

    Raises:
        OSError: it cannot be read.
    """
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return _read(file)
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(_LOCK_PAUSE_SECONDS)


def _read(file: Path) -> tuple[bytes, _Stamp]:
    """Return the content of a file that nobody is writing.

    Raises:
        BlockingIOError: a command is writing it.
        OSError: it cannot be read.
    """
    with file.open("rb") as opened:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return opened.read(), _Stamp.of(os.fstat(opened.fileno()))


def _unreadable(error: OSError) -> KeysUnavailable:
    return KeysUnavailable(f"The key file cannot be read: {error.strerror}.")
