"""Remove files of the cache that nothing reads any more."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.imaging import IMAGING_VERSION
from training.data.cache_files import PARTIAL, readable_size, writing
from training.data.cache_shards import FAILURES, FIT_FILE, FORMAT, read_shards

_FOLDER = re.compile(r"\d+x\d+-[0-9a-f]{8}")
_EARLIER_IMAGE = re.compile(r".+_.+\.[0-9a-f]{16}\.(npz|partial)")


@dataclass(frozen=True, slots=True)
class Pruned:
    """Number of files that were removed, and their bytes."""

    files: int
    size: int

    @property
    def summary(self) -> str:
        """The outcome in a line for people."""
        return f"{self.files} files removed from the cache, {readable_size(self.size)}"


def prune(cache: Path) -> Pruned:
    """Remove the files of a cache that no version of training from this one on reads.

    They are folders of earlier versions of imaging or of the format, the images and the list of
    failures of the layout before, shards without an image that counts, and unfinished files. No
    `prepare` may be working in the cache.

    Raises:
        CacheError: if a file cannot be removed.
    """
    folders = [path for path in cache.iterdir() if path.is_dir() and _FOLDER.fullmatch(path.name)]
    stale = [folder for folder in folders if _is_stale(folder)]

    unread = [*_earlier_layout(cache)]
    for folder in folders:
        every = (path for path in folder.rglob("*") if path.is_file())
        unread += every if folder in stale else _unread(folder)

    pruned = Pruned(len(unread), sum(path.stat().st_size for path in unread))
    with writing(cache):
        # An index goes before its images, so that no shard is left without them.
        for path in sorted(unread, key=lambda path: path.suffix != ".csv"):
            path.unlink()
        for folder in stale:
            shutil.rmtree(folder)

    return pruned


def _earlier_layout(cache: Path) -> Iterator[Path]:
    for path in cache.iterdir():
        if path.suffix == PARTIAL or path.name == FAILURES or _EARLIER_IMAGE.fullmatch(path.name):
            yield path


def _is_stale(folder: Path) -> bool:
    """Return whether a folder is of an earlier version. One that does not tell is kept."""
    try:
        facts = json.loads((folder / FIT_FILE).read_text(encoding="utf-8"))
        versions = (int(facts["format"]), int(facts["imaging_version"]))
    except (OSError, ValueError, KeyError, TypeError):
        return False

    present = (FORMAT, IMAGING_VERSION)
    return versions != present and all(
        version <= now for version, now in zip(versions, present, strict=True)
    )


def _unread(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that do not count. Those of damaged shards are left alone."""
    shards = read_shards(folder)
    read = {entry.path for entry in shards.entries().values()}

    for shard in shards.sound:
        if shard.path not in read:
            yield shard.path
            yield shard.index

    for path in folder.iterdir():
        orphan = path.suffix == ".bin" and not path.with_suffix(".csv").exists()
        if path.suffix == PARTIAL or orphan:
            yield path
