"""Who asks, and what they may."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

_LONGEST_NAME = 64


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
        """A caller; what is no scope of ours is ignored, as a provider may grant its own, too."""
        known = {scope.value for scope in Scope}
        return cls(name[:_LONGEST_NAME], frozenset(Scope(scope) for scope in scopes if scope in known))
