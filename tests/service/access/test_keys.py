"""Keys in a file."""

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


def test_a_key_is_known_by_its_name_and_scopes(file: Path) -> None:
    key = add_key(file, "viewer", BOTH)
    assert KeyFile(file).find(key) == Caller("key:viewer", frozenset(BOTH))
    assert KeyFile(file).find(key + "a") is None
    assert KeyFile(file).find("") is None


def test_the_file_does_not_hold_the_key_and_is_for_its_owner_alone(file: Path) -> None:
    key = add_key(file, "viewer", BOTH)
    assert key not in file.read_text()
    assert len(key) >= 40
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_revoked_key_is_refused_and_the_others_go_on_without_a_restart(file: Path) -> None:
    first, second = add_key(file, "first", BOTH), add_key(file, "second", BOTH)
    keys = KeyFile(file)
    assert keys.find(first)
    revoke_key(file, "first")
    assert keys.find(first) is None
    assert keys.find(second)


def entry(**changed: str) -> str:
    """A file of one key, as it would be written but for those members."""
    members = {
        "name": "'a'",
        "scopes": "['predict']",
        "created": "'now'",
        "sha256": f"'{'0' * 64}'",
    } | changed
    return "[[key]]\n" + "".join(f"{name} = {value}\n" for name, value in members.items())


def test_an_entry_written_by_hand_is_read(file: Path) -> None:
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
def test_a_damaged_file_lets_nobody_in(file: Path, content: str) -> None:
    key = add_key(file, "viewer", BOTH)
    keys = KeyFile(file)
    file.write_text(content)
    for _ in range(2):
        with pytest.raises(KeysUnavailable):
            keys.find(key)
    file.unlink()
    with pytest.raises(KeysUnavailable):
        keys.find(key)


def test_every_key_is_compared_whichever_it_is(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offered = [add_key(file, name, BOTH) for name in ("first", "second", "third")]
    keys, compared = KeyFile(file), 0
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


def test_a_name_is_given_once_and_is_a_name(file: Path) -> None:
    add_key(file, "viewer", BOTH)
    for name in ("viewer", "", 'a"\nb', "a" * 49):
        with pytest.raises(AccessError):
            add_key(file, name, BOTH)
    with pytest.raises(AccessError):
        revoke_key(file, "another")
    assert [key.name for key in read_keys(file)] == ["viewer"]


def test_the_command_line_makes_lists_and_revokes(
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
