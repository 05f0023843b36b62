"""Figures of the groups that the columns of a table divide the cases into."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.cells import MISSING, is_numeric, named, numbers
from training.evaluation.discrimination import DECIDED, area, sensitivity_at, specificity_at
from training.evaluation.resampling import intervals
from training.evaluation.statistics import Interval, Labels, Values

MIN_CASES = 10
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Subgroup:
    """The cases with one value of a column, or in one quarter of its numbers.

    `cases`, `with_cancer`: numbers of cases. A figure is None where the group does not define it.
    """

    column: str
    name: str
    cases: int
    with_cancer: int
    auc: Interval | None
    sensitivity: Interval | None
    specificity: Interval | None


def measure_subgroups(
    columns: Mapping[str, Sequence[str]],
    labels: Labels,
    scores: Values,
    patients: Sequence[str],
    positive: NDArray[np.bool_],
) -> list[Subgroup]:
    """Return the groups of every column, in the order of columns and of `divide`.

    `columns`: the cell of each case, by column. `positive`: the decision about each case. The
    intervals are drawn by patient.
    """
    ranking = {"auc": area}
    deciding = {"sensitivity": sensitivity_at(DECIDED), "specificity": specificity_at(DECIDED)}
    decisions = positive.astype(np.float64)
    names = np.asarray(patients)

    results = []
    for column, cells in columns.items():
        for name, rows in divide(column, cells).items():
            group = labels[rows], names[rows].tolist()
            values = intervals(ranking, group[0], scores[rows], group[1])
            values |= intervals(deciding, group[0], decisions[rows], group[1])
            results.append(
                Subgroup(
                    column,
                    name,
                    len(rows),
                    int((labels[rows] == 1).sum()),
                    *(values.get(figure) for figure in (*ranking, *deciding)),
                )
            )
    return results


def divide(column: str, cells: Sequence[str]) -> dict[str, list[int]]:
    """Return the rows of each group of a column.

    Numbers are divided into quarters, from the lowest, and named by their ends: "48 to 56". Names
    are in the order of the alphabet. Groups of fewer than 10 cases come together as "other", and
    cases without a value are the last, as "missing".
    """
    groups = named(cells)
    order = sorted(set(groups))
    if is_numeric(column, cells):
        groups, order = _quarters(groups)

    counts = Counter(groups)
    small = {name for name in order if counts[name] < MIN_CASES and name != MISSING}
    groups = [OTHER if name in small else name for name in groups]

    large = [name for name in order if name not in small | {OTHER, MISSING}]
    rows = {name: _rows(groups, name) for name in (*large, OTHER, MISSING)}
    return {name: members for name, members in rows.items() if members}


def _quarters(cells: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the group of each number, and the groups from the lowest.

    Equal numbers stay together.
    """
    values = numbers(cells)
    present = ~np.isnan(values)
    edges = np.quantile(values[present], (0.25, 0.5, 0.75))
    quarters = np.searchsorted(edges, values)

    groups = [MISSING] * len(cells)
    order = []
    for quarter in np.unique(quarters[present]):
        members = np.flatnonzero(present & (quarters == quarter))
        name = _range(float(values[members].min()), float(values[members].max()))
        order.append(name)
        for row in members:
            groups[row] = name

    return groups, order


def _range(low: float, high: float) -> str:
    return f"{low:.10g}" if low == high else f"{low:.10g} to {high:.10g}"


def _rows(groups: Sequence[str], name: str) -> list[int]:
    return [row for row, group in enumerate(groups) if group == name]
