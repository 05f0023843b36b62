"""Callers and the scopes that are granted to them."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from service.errors import Forbidden

_MAX_NAME = 64
_DIGEST_LENGTH = 16
_NOT_PRINTABLE = re.compile(r"[^!-~]")


class AccessScope(StrEnum):
    """Permission that a caller may have."""

    PREDICT = "predict"
    EXPLAIN = "explain"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Caller of the service: its name in the log and the audit, and its scopes."""

    name: str
    scopes: frozenset[AccessScope]

    @classmethod
    def of(cls, name: str, scopes: Iterable[str]) -> Self:
        """Return a caller whose name is safe to log. Unknown scopes are ignored.

        A provider may grant scopes that belong to other services. The name may have been chosen
        outside the service. Characters other than printable ASCII become `?`, a name longer than 64
        characters is cut, and a digest of the original is appended to a changed name, so that
        different names stay different.
        """
        known = {scope.value for scope in AccessScope}
        granted = frozenset(AccessScope(scope) for scope in scopes if scope in known)

        printable = _NOT_PRINTABLE.sub("?", name)
        if printable != name or len(name) > _MAX_NAME:
            hexadecimal = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
            kept = printable[: _MAX_NAME - _DIGEST_LENGTH - 1]
            printable = f"{kept}~{hexadecimal[:_DIGEST_LENGTH]}"

        return cls(printable, granted)

    def require(self, scope: AccessScope) -> None:
        """Raise Forbidden unless the caller has that scope."""
        if scope not in self.scopes:
            raise Forbidden(f"The caller lacks the scope '{scope}'.")
