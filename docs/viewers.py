"""Renew the viewers of /docs and /redoc from npm: `make viewers`.

Each viewer's version, the SHA-512 of its package and those of the files taken from it are recorded
in viewers.json, beside these files. A package with another content than the recorded one is
refused. With `--upgrade` the newest version is taken and recorded.
"""

import argparse
import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

PAGES = Path(__file__).parents[1] / "service" / "api" / "pages"
RECORD = PAGES / "viewers.json"


class Viewer(NamedTuple):
    """A package of npm, and the files to take from it, by their paths in the package.

    `replaced`: text that a file must not hold, and the text in its place.
    """

    folder: str
    package: str
    newest: str
    files: tuple[str, ...]
    replaced: tuple[str, str] = ("", "")


VIEWERS = (
    Viewer(
        "swagger-ui",
        "swagger-ui-dist",
        "latest",
        (
            "swagger-ui.css",
            "swagger-ui-bundle.js",
            "swagger-ui-bundle.js.LICENSE.txt",
            "LICENSE",
            "NOTICE",
        ),
    ),
    Viewer(
        "redoc",
        "redoc",
        "2",  # version 3 reports its use to its maker
        (
            "bundles/redoc.standalone.js",
            "bundles/redoc.standalone.js.LICENSE.txt",
            "LICENSE",
        ),
        # A logo beside the search, which would be loaded from another host. Redoc leaves it out if
        # it cannot be loaded.
        ("https://cdn.redoc.ly/redoc/logo-mini.svg", "data:,"),
    ),
)


def main() -> int:
    """Renew the files of every viewer. Return 0."""
    parser = argparse.ArgumentParser(prog="python -m docs.viewers", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take and record newest versions")
    upgrade = parser.parse_args().upgrade

    record = json.loads(RECORD.read_text("utf-8"))
    for viewer in VIEWERS:
        known = record.get(viewer.folder, {})
        record[viewer.folder] = renew(viewer, PAGES / viewer.folder, {} if upgrade else known)

    RECORD.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    return 0


def renew(viewer: Viewer, folder: Path, known: dict[str, Any]) -> dict[str, Any]:
    """Write the viewer's files into the folder. Return what is recorded about it.

    `known`: the record that the package has to match, empty to take the newest.

    Raises:
        SystemExit: the package's content is not the recorded one.
    """
    version = known.get("version", viewer.newest)
    folder.mkdir(parents=True, exist_ok=True)

    with tempfile.TemporaryDirectory() as scratch:
        package = f"{viewer.package}@{version}"
        command = ["npm", "pack", "--json", "--pack-destination", scratch, package]
        packed = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        entry = json.loads(packed.stdout)[0]
        archive = next(Path(scratch).iterdir())

        digest = hashlib.sha512(archive.read_bytes()).digest()
        integrity = f"sha512-{base64.b64encode(digest).decode('ascii')}"
        if integrity != known.get("integrity", integrity):
            raise SystemExit(f"{package} is not the recorded one: its integrity is {integrity}")

        for path in viewer.files:
            _extract(archive, path, folder, viewer.replaced)

    return {
        "package": viewer.package,
        "version": entry["version"],
        "integrity": integrity,
        "files": {path.name: digest_of(path) for path in sorted(folder.iterdir())},
    }


def digest_of(path: Path) -> str:
    """Return the SHA-512 of a file, in hexadecimal."""
    return hashlib.sha512(path.read_bytes()).hexdigest()


def _extract(archive: Path, path: str, folder: Path, replaced: tuple[str, str]) -> None:
    with tarfile.open(archive) as files:
        member = files.extractfile(f"package/{path}")
        assert member is not None, f"{path} is no file"  # noqa: S101 - the package has changed
        content = member.read()

    before, after = (text.encode() for text in replaced)
    if before and path.endswith(".js"):
        assert content.count(before) == 1, f"{path} has changed"  # noqa: S101 - likewise
        content = content.replace(before, after)
    (folder / Path(path).name).write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
