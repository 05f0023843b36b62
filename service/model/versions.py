"""The versions of a model: integer directories in the model's own, of which the highest is served."""

from pathlib import Path

from service.model.manifest import MANIFEST_FILE

Stamp = tuple[tuple[str, int, int], ...]


def newest_version(path: Path) -> Path:
    """The directory of the highest version in `path`; `path` itself where it is one, or holds none."""
    if (path / MANIFEST_FILE).exists() or not path.is_dir():
        return path
    versions = [entry for entry in path.iterdir() if entry.name.isdecimal() and entry.is_dir()]
    return max(versions, key=lambda version: int(version.name), default=path)


def stamp(path: Path) -> Stamp:
    """What changes with any file of the newest version: names, sizes and times of change."""
    files = sorted(file for file in newest_version(path).rglob("*") if file.is_file())
    found = ((file, file.stat()) for file in files)
    return tuple((str(file), status.st_size, status.st_mtime_ns) for file, status in found)
