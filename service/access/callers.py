"""Who asks, and what they may."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

_MAX_NAME = 64
_DIGEST_LENGTH = 16
_NOT_PRINTABLE = re.compile(r"[^!-~]")


class AccessScope(StrEnum):
    """What a caller may do."""

    PREDICT = "predict"
    EXPLAIN = "explain"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom the audit and the log name, and their scopes."""

    name: str
    scopes: frozenset[AccessScope]

    @classmethod
    def of(cls, name: str, scopes: Iterable[str]) -> Self:
        """A caller; what is no scope of ours is ignored, as a provider may grant its own, too.

        The name stands in the log, and others may have chosen it: where it is long, or does not print in one line of
        ASCII, it is made to, and a digest of it set behind, so that no two callers share one.
        """
        known = {scope.value for scope in AccessScope}
        printable = _NOT_PRINTABLE.sub("?", name)
        if printable != name or len(name) > _MAX_NAME:
            digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[
                :_DIGEST_LENGTH
            ]
            printable = f"{printable[: _MAX_NAME - _DIGEST_LENGTH - 1]}~{digest}"
        return cls(printable, frozenset(AccessScope(scope) for scope in scopes if scope in known))
