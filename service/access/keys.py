"""API keys: a file of names, scopes and hashes, which is read again whenever it changes.

A key is 32 random bytes. A fast hash is enough for it: slow password hashes defend against word
lists, and a random key is in none.
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
    """Entry of the key file. It holds the key's SHA-256 in hexadecimal, never the key itself."""

    name: str
    scopes: tuple[AccessScope, ...]
    created: str
    sha256: str


class KeyFile:
    """Key file that is read again whenever it has changed.

    Raises:
        KeysUnavailable: the file cannot be read or is not a key file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = (0, 0, 0)
        self._keys: tuple[Key, ...] = ()
        self._refresh()

    def find(self, secret: str) -> Caller | None:
        """Return the caller that owns the key `secret`, or None if the key is unknown.

        Raises:
            KeysUnavailable: the file can no longer be read or is no longer a key file.
        """
        self._refresh()

        # Every key is compared, each in constant time, so that the duration reveals nothing.
        offered = _hash(secret)
        match = None
        for key in self._keys:
            if hmac.compare_digest(key.sha256, offered):
                match = key

        return None if match is None else Caller.of(f"key:{match.name}", match.scopes)

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
        except OSError as error:
            raise KeysUnavailable(f"The key file cannot be read: {error.strerror}.") from error

        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        if stamp != self._stamp:
            self._keys = read_keys(self._path)
            self._stamp = stamp


def read_keys(path: Path) -> tuple[Key, ...]:
    """Return the entries of a key file.

    Raises:
        KeysUnavailable: the file cannot be read or is not a key file.
    """
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("key", [])
        return tuple(map(_key, entries))
    except OSError as error:
        raise KeysUnavailable(f"The key file cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeysUnavailable(
            "The key file is damaged: `python -m service.access` did not write it in this form."
        ) from error


def _key(entry: dict[str, Any]) -> Key:
    """Return the entry as a key. A misspelt scope is refused, not ignored.

    Raises:
        ValueError, KeyError, TypeError: the entry is not valid.
    """
    name = entry["name"]
    scopes = entry["scopes"]
    sha256 = entry["sha256"]

    if not (_NAME.fullmatch(name) and _SHA256.fullmatch(sha256) and isinstance(scopes, list)):
        raise ValueError("not an entry")

    return Key(name, tuple(map(AccessScope, scopes)), str(entry["created"]), sha256)


def add_key(path: Path, name: str, scopes: Iterable[AccessScope]) -> str:
    """Create a key, add its hash to the file and return the key, which is not stored anywhere.

    Raises:
        AccessError: the name is already in use or is not valid.
        KeysUnavailable: the file exists but cannot be read or is not a key file.
    """
    keys = read_keys(path) if path.exists() else ()
    if not _NAME.fullmatch(name):
        raise AccessError(
            "A name consists of 1 to 48 letters, digits, dots, dashes and underscores."
        )
    if name in {key.name for key in keys}:
        raise AccessError(f"A key named {name} exists already. Revoke it first.")

    secret = PREFIX + secrets.token_urlsafe(32)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    _write(path, (*keys, Key(name, tuple(scopes), created, _hash(secret))))
    return secret


def revoke_key(path: Path, name: str) -> None:
    """Remove a key from the file. A running service refuses it from the next request on.

    Raises:
        AccessError: no key has this name.
        KeysUnavailable: the file cannot be read or is not a key file.
    """
    keys = read_keys(path)
    if name not in {key.name for key in keys}:
        raise AccessError(f"No key is named {name}.")

    _write(path, tuple(key for key in keys if key.name != name))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _write(path: Path, keys: Iterable[Key]) -> None:
    """Replace the file atomically by one that only its owner can read."""
    # JSON strings and arrays are valid TOML.
    entries = (
        f"[[key]]\nname = {json.dumps(key.name)}\nscopes = {json.dumps(key.scopes)}\n"
        f"created = {json.dumps(key.created)}\nsha256 = {json.dumps(key.sha256)}\n"
        for key in keys
    )

    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(entries))
    Path(name).replace(path)
