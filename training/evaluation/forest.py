"""Forest plots: figures with their intervals, one below the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from training.evaluation.statistics import Interval
from training.evaluation.subgroups import Subgroup

CHANCE = 0.5
ROW_HEIGHT = 0.28
MARGIN = 1.1
WIDTH = 8.0
"""Inches: of a row, of axis and edges together, and of the picture."""

MAX_NAME = 36
"""Characters of a name that are drawn."""


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One line: its name, its interval or None, and words beside it. A heading has a name alone."""

    name: str
    interval: Interval | None = None
    note: str = ""
    bold: bool = False


def draw_floors(path: Path, network: Interval, floors: Mapping[str, Interval]) -> None:
    """Draw the AUC of a network above those of its floors, with a line at the highest floor."""
    rows = [
        ForestRow("network", network, interval_words(network), bold=True),
        *(ForestRow(name, interval, interval_words(interval)) for name, interval in floors.items()),
    ]
    highest = max((interval.value for interval in floors.values()), default=CHANCE)
    draw_rows(path, rows, highest)


def draw_subgroups(path: Path, whole: Interval, groups: Sequence[Subgroup]) -> None:
    """Draw the AUC of every group below the name of its column, with a line at that of all."""
    rows = [ForestRow("all cases", whole, interval_words(whole), bold=True)]
    for index, group in enumerate(groups):
        if index == 0 or group.column != groups[index - 1].column:
            rows.append(ForestRow(group.column, bold=True))

        count = f"{group.with_cancer} cancers in {group.cases}"
        words = "" if group.auc is None else f"{interval_words(group.auc)}, "
        rows.append(ForestRow(group.name, group.auc, f"{words}{count}"))
    draw_rows(path, rows, whole.value)


def draw_rows(path: Path, rows: Sequence[ForestRow], line: float) -> None:
    """Draw the rows from top to bottom, with a vertical line at one value."""
    height = MARGIN + ROW_HEIGHT * len(rows)
    figure = Figure(figsize=(WIDTH, height), dpi=120, layout="constrained")
    # Agg needs no display.
    FigureCanvasAgg(figure)
    axes = figure.subplots()

    axes.axvline(CHANCE, color="0.8", linewidth=1)
    axes.axvline(line, color="0.6", linewidth=1, linestyle="dashed")
    for y, row in enumerate(rows):
        _draw_row(axes, y, row)

    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [_drawable(row.name) for row in rows])
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if row.bold else "normal")

    axes.tick_params(axis="y", length=0)
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.set_xlabel("AUC, with 95 % interval by patient")
    figure.savefig(path)


def _draw_row(axes: Axes, y: int, row: ForestRow) -> None:
    """Draw point and interval, and the words at the right edge."""
    if row.interval is not None:
        axes.plot([row.interval.low, row.interval.high], [y, y], color="C0", linewidth=1.5)
        axes.plot(row.interval.value, y, marker="s", color="C0", markersize=5)
    axes.annotate(row.note, (1.01, y), xycoords=("axes fraction", "data"), va="center", fontsize=9)


def _drawable(name: str) -> str:
    """Return a name without its end if it is long. Matplotlib would set $...$ as a formula."""
    short = name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 3]}..."
    return short.replace("$", r"\$")


def interval_words(interval: Interval) -> str:
    """Return a figure with its interval."""
    return f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"
