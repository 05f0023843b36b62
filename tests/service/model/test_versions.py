"""Which version of a model is served."""

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


def test_the_highest_number_is_the_newest_version(versions: Path) -> None:
    assert newest_version(versions) == versions / "10"


def test_a_version_that_is_named_is_the_one_that_is_served(versions: Path) -> None:
    assert newest_version(versions / "2") == versions / "2"


def test_where_there_is_no_version_the_directory_itself_is_named_to_be_complained_about(
    tmp_path: Path,
) -> None:
    assert newest_version(tmp_path) == tmp_path
    assert newest_version(tmp_path / "none") == tmp_path / "none"


def test_the_stamp_changes_with_a_newer_version_and_with_every_file_that_arrives(
    versions: Path,
) -> None:
    stamps = [stamp(versions)]
    (versions / "11").mkdir()
    stamps.append(stamp(versions))
    (versions / "11" / "file").write_text("a")
    stamps.append(stamp(versions))
    (versions / "11" / "file").write_text("ab")
    stamps.append(stamp(versions))
    assert len(set(stamps)) == len(stamps)
