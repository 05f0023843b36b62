"""API keys and their form in a key file: names, scopes and hashes.

A key is 32 random bytes. A fast hash is enough for it: slow password hashes defend against word
lists, and a random key is in none.
"""

import hashlib
import json
import re
import secrets
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from service.access.callers import AccessScope
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

    @classmethod
    def create(cls, name: str, scopes: Iterable[AccessScope]) -> tuple[Self, str]:
        """Return a new entry and its key, which is not stored anywhere.

        Raises:
            AccessError: the name is not valid.
        """
        if not _NAME.fullmatch(name):
            raise AccessError(
                "A name consists of 1 to 48 letters, digits, dots, dashes and underscores."
            )

        secret = PREFIX + secrets.token_urlsafe(32)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(name, tuple(scopes), created, hash_key(secret)), secret


def hash_key(secret: str) -> str:
    """Return the SHA-256 of a key in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def parse_keys(content: bytes) -> tuple[Key, ...]:
    """Return the entries of a key file.

    Raises:
        KeysUnavailable: the content is not that of a key file.
    """
    try:
        entries = tomllib.loads(content.decode("utf-8")).get("key", [])
        return tuple(map(_key, entries))
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


def format_keys(keys: Iterable[Key]) -> bytes:
    """Return the content of a key file with these entries."""
    # JSON strings and arrays are valid TOML.
    entries = (
        f"[[key]]\nname = {json.dumps(key.name)}\nscopes = {json.dumps(key.scopes)}\n"
        f"created = {json.dumps(key.created)}\nsha256 = {json.dumps(key.sha256)}\n"
        for key in keys
    )
    return "\n".join(entries).encode("utf-8")
