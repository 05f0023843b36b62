"""The viewers of /docs and /redoc are those of npm."""

import json
from pathlib import Path

import pytest

from docs.viewers import PAGES, RECORD, VIEWERS, Viewer, renew

pytestmark = pytest.mark.interop

EVERY_VIEWER = pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.folder)


@EVERY_VIEWER
def test_recorded_package_has_the_committed_files(viewer: Viewer, tmp_path: Path) -> None:
    record = json.loads(RECORD.read_text("utf-8"))[viewer.folder]

    renewed = renew(viewer, tmp_path, record)

    assert renewed == record
    for path in (PAGES / viewer.folder).iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


@EVERY_VIEWER
def test_package_with_another_digest_is_refused(viewer: Viewer, tmp_path: Path) -> None:
    record = json.loads(RECORD.read_text("utf-8"))[viewer.folder]

    with pytest.raises(SystemExit, match="is not the recorded one"):
        renew(viewer, tmp_path, record | {"integrity": "sha512-other"})

    assert list(tmp_path.iterdir()) == []
