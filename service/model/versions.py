"""The versions of a model: directories with integer names, of which the highest is served."""

from pathlib import Path

from service.model.manifest import MANIFEST_FILE

Stamp = tuple[tuple[str, int, int], ...]
"""Name, size in bytes and time of change in nanoseconds of each file.

It is the time that a change of the content, the owner or the rights sets, and that no program can
set back (st_ctime_ns).
"""


def newest_version(path: Path) -> Path:
    """Return the directory of the highest version in `path`.

    `path` itself is returned if it is a version, or contains none.
    """
    if (path / MANIFEST_FILE).exists() or not path.is_dir():
        return path
    versions = [entry for entry in path.iterdir() if entry.name.isdecimal() and entry.is_dir()]
    return max(versions, key=lambda version: int(version.name), default=path)


def stamp(path: Path) -> Stamp:
    """Return a stamp that changes with every change of a file of the newest version."""
    files = sorted(file for file in newest_version(path).rglob("*") if file.is_file())
    with_status = ((file, file.stat()) for file in files)
    return tuple((str(file), status.st_size, status.st_ctime_ns) for file, status in with_status)
