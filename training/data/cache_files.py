"""Write files of the cache, each completely or not at all."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from training.errors import CacheError

PARTIAL = ".partial"

_GIGABYTE = 1e9


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn an error of writing below `folder` into one that names the free space and the remedy.

    Raises:
        CacheError: if a file cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise CacheError(
            f"{folder} cannot be written ({error.strerror}, {_free(folder)} free): make room or "
            "choose another `cache`, then run the same command again."
        ) from error


class PartialFile:
    """File that gets its name when it is complete, and is deleted if it never is.

    Its methods raise CacheError if it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / f"{uuid.uuid4().hex}{PARTIAL}"
        with writing(folder):
            # Without a buffer, an error of writing arises in `write` and not again in closing.
            self._file = self._path.open("xb", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Add bytes to the file."""
        rest = memoryview(data)
        with writing(self._folder):
            while rest:
                rest = rest[self._file.write(rest) :]

    def complete(self, path: Path) -> None:
        """Give the file its name, once all of it is on the disk."""
        with writing(self._folder):
            os.fsync(self._file.fileno())
            self._path.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write a file atomically: after an interruption it still has its previous content.

    Raises:
        CacheError: if it cannot be written.
    """
    with PartialFile(path.parent) as file:
        file.write(text.encode())
        file.complete(path)


def readable_size(size: int) -> str:
    """Return a number of bytes for people."""
    return f"{size / _GIGABYTE:.1f} GB" if size >= _GIGABYTE else f"{size / 1e6:.1f} MB"


def _free(folder: Path) -> str:
    """Return the free space where `folder` is, or would be."""
    places = (folder.absolute(), *folder.absolute().parents)
    existing = next(place for place in places if place.is_dir())
    return readable_size(shutil.disk_usage(existing).free)
