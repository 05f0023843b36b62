"""Digests of image files, remembered by path, size and time of change.

They spare `prepare` reading every file again. Training does not need them. A file that is lost, or
that was carried from another machine, costs time and nothing else.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from training.bars import bar
from training.data.cache_files import writing

SOURCES = "sources.jsonl"


@dataclass(frozen=True, slots=True)
class Stamp:
    """State of a file: absolute path, size and time of change in nanoseconds."""

    path: str
    size: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """Return the present state of a file. Exceptions of the system are passed on."""
        status = path.stat()
        return cls(str(path.absolute()), status.st_size, status.st_mtime_ns)


def source_digests(paths: Sequence[Path], memory: Path, workers: int) -> dict[Path, str]:
    """Return the SHA-256 of each file, and remember those that had to be read.

    A file that cannot be read has an empty digest.
    """
    known = _recall(memory)
    stamps = {path: Stamp.of(path) for path in paths}
    digests = {path: known.get(stamp, "") for path, stamp in stamps.items()}

    unknown = [path for path, digest in digests.items() if not digest]
    if not unknown:
        return digests

    with ThreadPoolExecutor(workers) as pool:
        results = pool.map(_digest, unknown)
        shown = bar(results, "compare", total=len(unknown), leave=True)
        for path, digest in zip(unknown, shown, strict=True):
            digests[path] = digest
            if digest:
                remember([(stamps[path], digest)], memory)

    return digests


def remember(digests: Iterable[tuple[Stamp, str]], memory: Path) -> None:
    """Add digests to the file `memory`.

    Raises:
        CacheError: if it cannot be written.
    """
    lines = [json.dumps([*astuple(stamp), digest]) + "\n" for stamp, digest in digests]
    with writing(memory.parent), memory.open("a", encoding="utf-8") as file:
        file.writelines(lines)


def _recall(memory: Path) -> dict[Stamp, str]:
    """Read the remembered digests. Lines that were cut off are left out."""
    if not memory.exists():
        return {}

    facts = map(_parse, memory.read_text(encoding="utf-8", errors="replace").splitlines())
    return {Stamp(*fact[:3]): fact[3] for fact in facts if fact is not None}


def _parse(line: str) -> tuple[str, int, int, str] | None:
    try:
        fact: Any = json.loads(line)
    except ValueError:
        return None

    match fact:
        case [str(path), int(size), int(changed), str(digest)]:
            return path, size, changed, digest
        case _:
            return None


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
