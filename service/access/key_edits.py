"""Changes of the key file: one at a time, in place, all or nothing.

The file is never replaced by another. A file that is mounted by itself cannot be, and where it is
replaced outside of a mount, the mount keeps the old file and with it the revoked key.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from service.access.callers import AccessScope
from service.access.key_file import locate
from service.access.keys import Key, format_keys, parse_keys
from service.errors import AccessError
from service.host.file_lock import lock

_PRIVATE = 0o600


def add_key(path: Path, name: str, scopes: Iterable[AccessScope], owner: int | None = None) -> str:
    """Create a key, add its hash to the file and return the key, which is not stored anywhere.

    A new file can be read by its owner alone. `owner`: ID of the user that gets the file.

    Raises:
        AccessError: the name is already in use or not valid, or the file cannot be written.
        KeysUnavailable: the file is not a key file.
    """
    key, secret = Key.create(name, scopes)

    with _opened(path, create=True) as descriptor:
        if owner is not None:
            os.fchown(descriptor, owner, -1)

        content = _content(descriptor)
        keys = parse_keys(content)
        if name in {known.name for known in keys}:
            raise AccessError(f"A key named {name} exists already. Revoke it first.")
        _write(descriptor, format_keys((*keys, key)), content)

    return secret


def revoke_key(path: Path, name: str) -> None:
    """Remove a key from the file. A running service refuses it from the next request on.

    Raises:
        AccessError: no key has this name, or the file cannot be written.
        KeysUnavailable: the file is not a key file.
    """
    with _opened(path) as descriptor:
        content = _content(descriptor)
        keys = parse_keys(content)
        if name not in {key.name for key in keys}:
            raise AccessError(f"No key is named {name}.")
        _write(descriptor, format_keys(key for key in keys if key.name != name), content)


@contextmanager
def _opened(path: Path, *, create: bool = False) -> Iterator[int]:
    """Open the key file and lock it. Its mode and its owner stay.

    Raises:
        AccessError: it cannot be opened or written.
    """
    try:
        file = locate(path)
        descriptor = _open(file, create=create)
        try:
            lock(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)
    except BlockingIOError as error:
        raise AccessError("Another process keeps the key file locked. Try again.") from error
    except OSError as error:
        raise AccessError(f"The key file cannot be written: {error.strerror}.") from error


def _open(file: Path, *, create: bool) -> int:
    if create:
        with suppress(FileExistsError):
            return os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, _PRIVATE)
    return os.open(file, os.O_RDWR)


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _write(descriptor: int, content: bytes, previous: bytes) -> None:
    """Write all of the content to the disk, or leave the previous content."""
    try:
        _overwrite(descriptor, content)
    except BaseException:
        _overwrite(descriptor, previous)
        raise


def _overwrite(descriptor: int, content: bytes) -> None:
    # The end is cut last, so that no entry is lost if the process is killed in between.
    written = 0
    while written < len(content):
        written += os.pwrite(descriptor, content[written:], written)
    os.ftruncate(descriptor, len(content))
    os.fsync(descriptor)
