"""API keys and their file."""

import hmac
import stat
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


def test_key_identifies_its_caller(file: Path) -> None:
    key = add_key(file, "viewer", BOTH)

    keys = KeyFile(file)

    assert keys.find(key) == Caller("key:viewer", frozenset(BOTH))
    assert keys.find(key + "a") is None
    assert keys.find("") is None


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
    assert keys.find(first)

    revoke_key(file, "first")

    assert keys.find(first) is None
    assert keys.find(second)


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
            keys.find(key)

    file.unlink()
    with pytest.raises(KeysUnavailable):
        keys.find(key)


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
        keys.find(key)
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
    assert KeyFile(file).find(capsys.readouterr().out.strip())

    assert main(["list", "--file", str(file)]) == 0
    assert capsys.readouterr().out.startswith("viewer\tpredict\t")

    assert main(["add", "viewer", "--file", str(file)]) == 1
    assert main(["add", "other", "--scopes", "root", "--file", str(file)]) == 1

    assert main(["revoke", "viewer", "--file", str(file)]) == 0
    assert read_keys(file) == ()
