"""Bars of long steps, on standard error."""

from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def bar(
    items: Iterable[Any] | None = None,
    description: str | None = None,
    *,
    total: int | None = None,
    unit: str = "image",
    leave: bool = False,
) -> "tqdm[Any]":
    """Return a bar over the items, with their number, the pace and the time left.

    `total`: number of items that do not tell it themselves. `leave`: keep the bar after its end.
    Nothing is shown where standard error is no terminal, as in a log file.
    """
    return tqdm(
        items,
        description,
        total=total,
        unit=unit,
        leave=leave,
        disable=None,
        dynamic_ncols=True,
    )
