"""Base of all errors."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

Facts = Mapping[str, float | Sequence[str]]
"""Machine-readable facts of an error by name: limits, estimates and available values."""


class MammolensError(Exception):
    """Base of all errors of this project.

    `str(error)` is one sentence for the caller, and `facts` says the same to a program. A class
    carries the facts that all its errors share: `slug`, its stable name, a `title`, and a `remedy`.
    Subclasses inherit them. `is_loggable`: the message quotes nothing of a file or a request.
    """

    is_loggable: ClassVar[bool] = True
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"
    remedy: ClassVar[str] = (
        "Report the request ID to the operator. Sending the same request again will not help."
    )

    def __init__(self, detail: str = "", **facts: float | Sequence[str]) -> None:
        super().__init__(detail)
        self.facts: Facts = facts

    def __reduce__(self) -> tuple[Callable[..., "MammolensError"], tuple[object, ...]]:
        """Pickle any subclass by its arguments and attributes, independent of its `__init__`."""
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    cls: type[MammolensError], arguments: tuple[object, ...], state: Mapping[str, object]
) -> MammolensError:
    error = cls.__new__(cls, *arguments)
    error.__dict__.update(state)
    return error
