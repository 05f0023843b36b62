"""Who asks, and what they may."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

_LONGEST_NAME = 64
_NOT_PRINTABLE = re.compile(r"[^!-~]")


class Scope(StrEnum):
    """What a caller may do."""

    PREDICT = "predict"
    EXPLAIN = "explain"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom the audit and the log name, and their scopes."""

    name: str
    scopes: frozenset[Scope]

    @classmethod
    def of(cls, name: str, scopes: Iterable[str]) -> Self:
        """A caller; what is no scope of ours is ignored, as a provider may grant its own, too.

        Of the name only what prints in one line of ASCII is kept: it stands in the log, and others may have chosen it.
        """
        known = {scope.value for scope in Scope}
        return cls(
            _NOT_PRINTABLE.sub("?", name[:_LONGEST_NAME]), frozenset(Scope(scope) for scope in scopes if scope in known)
        )
