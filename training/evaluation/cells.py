"""Cells of a table's columns: numbers, names, and what is missing."""

from collections.abc import Sequence

import numpy as np

from training.evaluation.statistics import Values

MISSING = "missing"
MAX_NAMED_NUMBERS = 8
"""Different numbers that a column may have and still be read as names, such as a density."""


def named(cells: Sequence[str]) -> list[str]:
    """Return the cells without space around them. Empty cells and "nan" are `MISSING`."""
    stripped = [cell.strip() for cell in cells]
    return [MISSING if cell.lower() in {"", "nan"} else cell for cell in stripped]


def numbers(cells: Sequence[str]) -> Values:
    """Return the cells as numbers, not a number where a cell is missing or is none."""
    return np.array([_number(cell) for cell in cells], np.float64)


def is_numeric(column: str, cells: Sequence[str]) -> bool:
    """Return whether a column measures something: numbers alone, and more than 8 different ones.

    A column whose name ends in "id" holds names, even if they are written in digits.
    """
    if column.lower().endswith("id"):
        return False

    values = numbers([cell for cell in named(cells) if cell != MISSING])
    return bool(np.isfinite(values).all()) and len(np.unique(values)) > MAX_NAMED_NUMBERS


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")
