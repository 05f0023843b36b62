"""Choice of the model version to serve."""

import time
from pathlib import Path

import pytest

from service.model import MANIFEST_FILE, newest_version, stamp


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    for name in ("2", "10", "9", "draft", ".11"):
        manifest = tmp_path / name / MANIFEST_FILE
        manifest.parent.mkdir(parents=True)
        manifest.write_text("{}")
    return tmp_path


def test_highest_number_is_newest_version(versions: Path) -> None:
    assert newest_version(versions) == versions / "10"


def test_path_of_version_selects_that_version(versions: Path) -> None:
    assert newest_version(versions / "2") == versions / "2"


def test_directory_without_versions_is_returned_unchanged(tmp_path: Path) -> None:
    """The error on loading then names the directory."""
    assert newest_version(tmp_path) == tmp_path
    assert newest_version(tmp_path / "none") == tmp_path / "none"


def test_stamp_changes_with_versions_and_files(versions: Path) -> None:
    stamps = [stamp(versions)]

    (versions / "11").mkdir()
    stamps.append(stamp(versions))

    (versions / "11" / "file").write_text("a")
    stamps.append(stamp(versions))

    (versions / "11" / "file").write_text("ab")
    stamps.append(stamp(versions))

    assert len(set(stamps)) == len(stamps)


def test_stamp_changes_with_rights_of_a_file(versions: Path) -> None:
    """A file that could not be read may be readable then."""
    file = versions / "10" / MANIFEST_FILE
    before = stamp(versions)
    time.sleep(0.02)  # the clock of files may tick a hundred times a second

    file.chmod(0o600 if file.stat().st_mode & 0o077 else 0o644)

    assert stamp(versions) != before
