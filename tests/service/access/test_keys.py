"""API keys and their file."""

import asyncio
import fcntl
import hmac
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from service.access import AccessScope, Caller, KeyFile, add_key, read_keys, revoke_key
from service.access.__main__ import main
from service.errors import AccessError, KeysUnavailable

BOTH = [AccessScope.PREDICT, AccessScope.EXPLAIN]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def find(keys: KeyFile, key: str) -> Caller | None:
    return asyncio.run(keys.find(key))


def test_key_identifies_its_caller(file: Path) -> None:
    key = add_key(file, "viewer", BOTH)

    keys = KeyFile(file)

    assert find(keys, key) == Caller("key:viewer", frozenset(BOTH))
    assert find(keys, key + "a") is None
    assert find(keys, "") is None


def test_file_is_private_and_holds_no_key(file: Path) -> None:
    key = add_key(file, "viewer", BOTH)

    assert key not in file.read_text()
    assert len(key) >= 40
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_revoked_key_is_refused_without_restart(file: Path) -> None:
    """The other keys stay valid."""
    first = add_key(file, "first", BOTH)
    second = add_key(file, "second", BOTH)
    keys = KeyFile(file)
    assert find(keys, first)

    revoke_key(file, "first")

    assert find(keys, first) is None
    assert find(keys, second)


def entry(**changed: str) -> str:
    """Return a key file with one valid entry, apart from the `changed` members."""
    members = {
        "name": "'a'",
        "scopes": "['predict']",
        "created": "'now'",
        "sha256": f"'{'0' * 64}'",
    } | changed
    return "[[key]]\n" + "".join(f"{name} = {value}\n" for name, value in members.items())


def test_hand_written_entry_is_read(file: Path) -> None:
    file.write_text(entry())

    assert [(key.name, key.scopes) for key in read_keys(file)] == [("a", (AccessScope.PREDICT,))]


@pytest.mark.parametrize(
    "content",
    [
        "no toml",
        "[[key]]\nname = 'a'\n",
        "key = 3\n",
        "key = [1]\n",
        entry(name="'a b'"),
        entry(name="3"),
        entry(scopes="'predict'"),
        entry(scopes="['predcit']"),
        entry(scopes="[['predict']]"),
        entry(sha256="'é'"),
        entry(sha256="'00'"),
    ],
)
def test_damaged_or_missing_file_admits_no_key(file: Path, content: str) -> None:
    key = add_key(file, "viewer", BOTH)
    keys = KeyFile(file)

    file.write_text(content)
    for _ in range(2):
        with pytest.raises(KeysUnavailable):
            find(keys, key)

    file.unlink()
    with pytest.raises(KeysUnavailable):
        find(keys, key)


def test_every_key_is_always_compared(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The duration of a look-up must not depend on which key matches."""
    offered = [add_key(file, name, BOTH) for name in ("first", "second", "third")]
    keys = KeyFile(file)
    compared = 0
    compare: Any = hmac.compare_digest

    def count(one: str, other: str) -> bool:
        nonlocal compared
        compared += 1
        return bool(compare(one, other))

    monkeypatch.setattr(hmac, "compare_digest", count)
    counts = []
    for key in [*offered, "unknown"]:
        compared = 0
        find(keys, key)
        counts.append(compared)

    assert counts == [3, 3, 3, 3]


def test_names_are_valid_and_unique(file: Path) -> None:
    add_key(file, "viewer", BOTH)

    for name in ("viewer", "", 'a"\nb', "a" * 49):
        with pytest.raises(AccessError):
            add_key(file, name, BOTH)
    with pytest.raises(AccessError):
        revoke_key(file, "another")

    assert [key.name for key in read_keys(file)] == ["viewer"]


def test_command_line_adds_lists_and_revokes(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", "viewer", "--scopes", "predict", "--file", str(file)]) == 0
    assert find(KeyFile(file), capsys.readouterr().out.strip())

    assert main(["list", "--file", str(file)]) == 0
    assert capsys.readouterr().out.startswith("viewer\tpredict\t")

    assert main(["add", "viewer", "--file", str(file)]) == 1
    assert main(["add", "other", "--scopes", "root", "--file", str(file)]) == 1
    assert "`none`" in capsys.readouterr().err

    assert main(["revoke", "viewer", "--file", str(file)]) == 0
    assert read_keys(file) == ()


def test_key_without_scopes_is_named_none(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["add", "prometheus", "--scopes", "none", "--file", str(file)]) == 0
    key = capsys.readouterr().out.strip()

    assert main(["list", "--file", str(file)]) == 0

    assert capsys.readouterr().out.startswith("prometheus\tnone\t")
    assert find(KeyFile(file), key) == Caller("key:prometheus", frozenset())


def test_folder_holds_one_key_file(tmp_path: Path) -> None:
    """Copies and backups beside it admit nobody."""
    key = add_key(tmp_path, "viewer", BOTH)
    (tmp_path / "copy.toml").write_bytes((tmp_path / "keys.toml").read_bytes())
    keys = KeyFile(tmp_path)
    assert find(keys, key)

    revoke_key(tmp_path, "viewer")

    assert find(keys, key) is None
    assert {path.name for path in tmp_path.iterdir()} == {"keys.toml", "copy.toml"}


def test_swapped_folder_behind_link_is_read_anew(tmp_path: Path) -> None:
    """So Kubernetes updates a mounted secret: `..data` is pointed at another folder."""
    add_key(tmp_path, "viewer", BOTH)
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    key = add_key(tmp_path / "old", "viewer", BOTH)
    other = add_key(tmp_path / "new", "other", BOTH)
    (tmp_path / "..data").symlink_to("old")
    mount = tmp_path / "mount"
    mount.mkdir()
    (mount / "keys.toml").symlink_to("../..data/keys.toml")
    keys = KeyFile(mount)
    assert find(keys, key)

    (tmp_path / "next").symlink_to("new")
    (tmp_path / "next").replace(tmp_path / "..data")

    assert find(keys, key) is None
    assert find(keys, other)


def test_changes_keep_mode_and_inode(file: Path) -> None:
    """A file that is mounted by itself is followed by its inode."""
    add_key(file, "first", BOTH)
    file.chmod(0o640)
    before = file.stat()

    add_key(file, "second", BOTH)
    revoke_key(file, "first")

    after = file.stat()
    assert (after.st_ino, stat.S_IMODE(after.st_mode)) == (before.st_ino, 0o640)
    assert list(file.parent.iterdir()) == [file]


def test_owner_can_be_named(file: Path) -> None:
    user = str(os.geteuid())

    assert main(["add", "viewer", "--owner", user, "--file", str(file)]) == 0
    with pytest.raises(SystemExit):
        main(["add", "other", "--owner", "-1", "--file", str(file)])

    assert file.stat().st_uid == os.geteuid()
    assert [key.name for key in read_keys(file)] == ["viewer"]


def test_simultaneous_changes_lose_no_key(file: Path) -> None:
    names = [f"key-{number}" for number in range(12)]
    add_key(file, "revoked", BOTH)

    with ThreadPoolExecutor(len(names) + 1) as pool:
        pool.submit(revoke_key, file, "revoked")
        list(pool.map(lambda name: add_key(file, name, BOTH), names))

    assert sorted(key.name for key in read_keys(file)) == sorted(names)


def test_change_of_equal_size_is_noticed(file: Path) -> None:
    """Both changes fall into one tick of the file system's clock."""
    add_key(file, "first", BOTH)
    keys = KeyFile(file)

    for number in range(20):
        key = add_key(file, f"key-{number:02}", BOTH)
        assert find(keys, key)
        revoke_key(file, f"key-{number:02}")
        assert find(keys, key) is None


def test_half_written_file_is_not_read(file: Path) -> None:
    """The reader waits for the writer's lock."""
    key = add_key(file, "viewer", BOTH)
    content = file.read_bytes()
    keys = KeyFile(file)

    with file.open("r+b") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        writing.truncate(0)

        def finish() -> None:
            writing.write(content)
            writing.flush()
            fcntl.flock(writing, fcntl.LOCK_UN)

        timer = threading.Timer(0.1, finish)
        timer.start()
        caller = find(keys, key)
        timer.join()

    assert caller is not None


def test_file_that_cannot_be_written_gives_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "none" / "keys.toml")

    assert main(["add", "viewer", "--file", missing]) == 1
    assert main(["revoke", "viewer", "--file", missing]) == 1

    expected = "mammolens: The key file cannot be written: No such file or directory.\n"
    assert capsys.readouterr().err == expected * 2
