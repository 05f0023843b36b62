"""Write files of the cache, each completely or not at all."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from training.errors import CacheError

PARTIAL = ".partial"

_GIGABYTE = 1e9


@contextmanager
def partial_file(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Open a file that is deleted at the end, unless it was given another name by then.

    Raises:
        CacheError: if it cannot be written.
    """
    path = folder / f"{uuid.uuid4().hex}{PARTIAL}"
    try:
        with writing(folder), path.open("xb") as file:
            yield path, file
    finally:
        path.unlink(missing_ok=True)


def flush(file: BinaryIO) -> None:
    """Write everything to the disk."""
    file.flush()
    os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write a file atomically: after an interruption it still has its previous content.

    Raises:
        CacheError: if it cannot be written.
    """
    with partial_file(path.parent) as (partial, file):
        file.write(text.encode())
        flush(file)
        partial.replace(path)


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


def readable_size(size: int) -> str:
    """Return a number of bytes for people."""
    return f"{size / _GIGABYTE:.1f} GB" if size >= _GIGABYTE else f"{size / 1e6:.1f} MB"


def _free(folder: Path) -> str:
    """Return the free space where `folder` is, or would be."""
    places = (folder.absolute(), *folder.absolute().parents)
    existing = next(place for place in places if place.is_dir())
    return readable_size(shutil.disk_usage(existing).free)
