"""API keys: a file of names, scopes and hashes, which is read again whenever it changes.

A key is 32 random bytes, so that a plain hash of it tells nothing: there is no word list of such keys to try, which is
what slow hashes of passwords are for.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.access.callers import AccessScope, Caller
from service.errors import AccessError, KeysUnavailable

PREFIX = "mammolens_"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,48}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of the file: never the key itself, but its SHA-256 in hexadecimal."""

    name: str
    scopes: tuple[AccessScope, ...]
    created: str
    sha256: str


class KeyFile:
    """The keys of a file as it is at each moment.

    Raises:
        KeysUnavailable: it cannot be read, or is not such a file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = (0, 0, 0)
        self._keys: tuple[Key, ...] = ()
        self._refresh()

    def find(self, secret: str) -> Caller | None:
        """Whose key that is. Every key is compared, in constant time: how long it takes tells nothing.

        Raises:
            KeysUnavailable: the file cannot be read any more.
        """
        self._refresh()
        offered, found = _hash(secret), None
        for key in self._keys:
            if hmac.compare_digest(key.sha256, offered):
                found = key
        return None if found is None else Caller.of(f"key:{found.name}", found.scopes)

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
        except OSError as error:
            raise KeysUnavailable(f"The file of keys cannot be read: {error.strerror}.") from error
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        if stamp != self._stamp:
            self._keys = read_keys(self._path)
            self._stamp = stamp


def read_keys(path: Path) -> tuple[Key, ...]:
    """The entries of that file.

    Raises:
        KeysUnavailable: it cannot be read, or is not such a file.
    """
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("key", [])
        return tuple(map(_key, entries))
    except OSError as error:
        raise KeysUnavailable(f"The file of keys cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeysUnavailable(
            "The file of keys is not one that `python -m service.access` wrote."
        ) from error


def _key(entry: dict[str, Any]) -> Key:
    """That entry, or a ValueError, KeyError or TypeError: a misspelt scope is refused rather than passed over."""
    name, scopes, sha256 = entry["name"], entry["scopes"], entry["sha256"]
    if not (_NAME.fullmatch(name) and _SHA256.fullmatch(sha256) and isinstance(scopes, list)):
        raise ValueError("not an entry")
    return Key(name, tuple(map(AccessScope, scopes)), str(entry["created"]), sha256)


def add_key(path: Path, name: str, scopes: Iterable[AccessScope]) -> str:
    """A new key, which is told here and never again; the file keeps its hash.

    Raises:
        AccessError: the name is taken, or is no name.
        KeysUnavailable: the file is there, but cannot be read.
    """
    keys = read_keys(path) if path.exists() else ()
    if not _NAME.fullmatch(name):
        raise AccessError(
            "A name consists of up to 48 letters, digits, dots, dashes and underscores."
        )
    if name in {key.name for key in keys}:
        raise AccessError(f"There is a key named {name} already; revoke it first.")
    secret = PREFIX + secrets.token_urlsafe(32)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    _write(path, (*keys, Key(name, tuple(scopes), created, _hash(secret))))
    return secret


def revoke_key(path: Path, name: str) -> None:
    """Takes that key out of the file; a running service refuses it from the next request on.

    Raises:
        AccessError: there is none of that name.
    """
    keys = read_keys(path)
    if name not in {key.name for key in keys}:
        raise AccessError("There is no key of that name.")
    _write(path, tuple(key for key in keys if key.name != name))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _write(path: Path, keys: Iterable[Key]) -> None:
    """Replaces the file at once, for its owner's eyes only; JSON strings and arrays are TOML, too."""
    entries = (
        f"[[key]]\nname = {json.dumps(key.name)}\nscopes = {json.dumps(key.scopes)}\n"
        f"created = {json.dumps(key.created)}\nsha256 = {json.dumps(key.sha256)}\n"
        for key in keys
    )
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(entries))
    Path(name).replace(path)
