"""Files of the pages for browsers: own and vendored, all from the wheel.

A page loads what lies below /assets/. The path of such a file holds a digest of its content, so
that a browser may keep it for good. The files of the viewer name one another, so they share a
folder, whose digest is that of all of them.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

_DIRECTORY = Path(__file__).with_name("pages")
_VIEWER = _DIRECTORY / "viewer"
_DIGITS = 16  # of the digest in a path
_SERVED = (
    "favicon.svg",
    "front.css",
    "docs.css",
    "docs.js",
    "redoc.css",
    "redoc.js",
    "swagger-ui/swagger-ui.css",
    "swagger-ui/swagger-ui-bundle.js",
    "redoc/redoc.standalone.js",
)
_PAGES = ".html"
_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
FAVICON = "favicon.svg"


class PageFile(NamedTuple):
    """A file that a page loads. `path`: below /assets/, `packed`: the content as gzip."""

    path: str
    content: bytes
    packed: bytes
    media_type: str


@cache
def files_by_name() -> Mapping[str, PageFile]:
    """Return every file that pages load, by its name. No other file is served."""
    alone = [_read(_DIRECTORY / relative) for relative in _SERVED]
    files = [*alone, *_read_viewer()]
    return {file.path.rpartition("/")[2]: file for file in files}


@cache
def files_by_path() -> Mapping[str, PageFile]:
    """Return the same files by their path below /assets/."""
    return {file.path: file for file in files_by_name().values()}


@cache
def page(name: str) -> str:
    """Return a page, in which each file that it loads has its path with the digest."""
    text = (_DIRECTORY / name).read_text("utf-8")
    files = files_by_name()
    return re.sub(r'(?<=["/]assets/)[\w.-]+(?=")', lambda match: files[match[0]].path, text)


def _read(path: Path) -> PageFile:
    return _in_folder(_digest(path.read_bytes()), path)


def _read_viewer() -> list[PageFile]:
    """Return the scripts and styles of the viewer, all in one folder."""
    paths = sorted(path for path in _VIEWER.iterdir() if path.suffix != _PAGES)
    digest = _digest(b"".join(path.read_bytes() for path in paths))
    return [_in_folder(digest, path) for path in paths]


def _in_folder(digest: str, path: Path) -> PageFile:
    content = path.read_bytes()
    packed = gzip.compress(content, mtime=0)
    return PageFile(f"{digest}/{path.name}", content, packed, _MEDIA_TYPES[path.suffix])


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]
