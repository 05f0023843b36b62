"""The comparison of networks as Markdown, JSON and a forest plot."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.networks.network_comparison import (
    Intervals,
    Key,
    NetworkComparison,
    RunRow,
    ScoresRow,
)
from benchmarks.networks.network_figures import Pairs
from service.model import Level
from training.evaluation.forest import ForestRow, draw_rows, interval_words
from training.evaluation.statistics import Interval

HEADLINE: Key = (Level.BREAST, Pairs.FOLD)
WITHIN_MACHINE: Key = (Level.BREAST, Pairs.MACHINE)
POOLED: Key = (Level.BREAST, Pairs.POOLED)
IMAGES: Key = (Level.IMAGE, Pairs.FOLD)
ABSENT = "-"

EXPLANATION = """\
AUC with 95 % intervals from 1000 draws of patients, the same for all rows. It counts pairs of one
fold: both cases are judged by the same network, so the networks of the folds need no common scale.
`pooled` counts all pairs, by calibrated probabilities. `within one machine` counts pairs of one
machine and fold. A breast is the mean of its views."""

SCORES_HEADS = (
    "scores",
    "seeds",
    "breast AUC, mean of the seeds",
    "of the seeds' mean score",
    "within one machine",
    "pooled",
    "image AUC",
)
DIFFERENCE_HEADS = ("network", "minus", "breast AUC", "within one machine", "pooled", "image AUC")
RUN_HEADS = (
    "network",
    "seed",
    "fold",
    "image AUC",
    "breast AUC",
    "within one machine",
    "pooled breast AUC",
    "epochs",
    "seconds",
)


def markdown(comparison: NetworkComparison) -> str:
    """Return the three tables with the words that explain them."""
    counts = comparison.counts
    sizes = (
        f"{counts['patients']} patients; {counts['images']} images, "
        f"{counts['images_with_cancer']} with cancer; {counts['breasts']} breasts, "
        f"{counts['breasts_with_cancer']} with cancer."
    )
    differences = [(row.network, row.minus, *_signed(row.auc)) for row in comparison.differences]
    parts = [
        sizes,
        EXPLANATION,
        _table(SCORES_HEADS, (_scores_cells(row) for row in comparison.scores)),
        _table(DIFFERENCE_HEADS, differences),
        _table(RUN_HEADS, (_run_cells(row) for row in comparison.runs)),
    ]
    return "\n\n".join(parts) + "\n"


def document(comparison: NetworkComparison) -> dict[str, Any]:
    """Return everything as JSON's types. Figures lie below the level and the pairs they count."""
    return {
        "counts": dict(comparison.counts),
        "scores": [
            {
                "name": row.name,
                "seeds": row.seeds,
                "is_floor": row.is_floor,
                "mean_of_seeds": _nested(row.auc),
                "of_mean_score": _nested(row.of_mean),
            }
            for row in comparison.scores
        ],
        "differences": [
            {"network": row.network, "minus": row.minus, "auc": _nested(row.auc)}
            for row in comparison.differences
        ],
        "runs": [
            {
                "network": row.network,
                "directory": row.directory,
                "seed": row.seed,
                "fold": row.fold,
                "auc": _nested(row.auc),
                "epochs": row.epochs,
                "seconds": row.seconds,
            }
            for row in comparison.runs
        ],
    }


def write_report(directory: Path, comparison: NetworkComparison) -> None:
    """Write networks.md, networks.json and networks.png into a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "networks.md").write_text(markdown(comparison), encoding="utf-8")
    text = json.dumps(document(comparison), indent=2) + "\n"
    (directory / "networks.json").write_text(text, encoding="utf-8")
    draw(directory / "networks.png", comparison.scores)


def draw(path: Path, scores: Sequence[ScoresRow]) -> None:
    """Draw the breast AUC of all rows, and that within one machine.

    A line is at the highest AUC of a floor.
    """
    rows = []
    for title, key in (("all breasts", HEADLINE), ("within one machine", WITHIN_MACHINE)):
        rows.append(ForestRow(title, bold=True))
        for row in scores:
            interval = row.auc[key]
            note = "" if interval is None else interval_words(interval)
            rows.append(ForestRow(row.name, interval, note, bold=not row.is_floor))

    below = [one.value for row in scores if row.is_floor and (one := row.auc[HEADLINE])]
    draw_rows(path, rows, max(below, default=0.5))


def _scores_cells(row: ScoresRow) -> tuple[str, ...]:
    return (
        row.name,
        ABSENT if row.is_floor else str(row.seeds),
        _words(row.auc[HEADLINE]),
        _words(row.of_mean[HEADLINE]) if row.seeds > 1 else ABSENT,
        *(_words(row.auc[key]) for key in (WITHIN_MACHINE, POOLED, IMAGES)),
    )


def _run_cells(row: RunRow) -> tuple[str, ...]:
    """Return the cells of a fold, whose figures have no interval, or those of all folds."""
    figures = [row.auc[key] for key in (IMAGES, HEADLINE, WITHIN_MACHINE, POOLED)]
    cells = [_words(one) if row.fold is None else _value(one) for one in figures]
    if row.fold is not None:
        cells[-1] = ABSENT

    return (
        row.network,
        str(row.seed),
        row.fold or "all",
        *cells,
        str(row.epochs),
        ABSENT if row.seconds is None else f"{row.seconds:.0f}",
    )


def _signed(auc: Intervals) -> list[str]:
    """Return the cells of a difference."""
    return [
        ABSENT
        if (one := auc[key]) is None
        else f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})"
        for key in (HEADLINE, WITHIN_MACHINE, POOLED, IMAGES)
    ]


def _words(interval: Interval | None) -> str:
    return ABSENT if interval is None else interval_words(interval)


def _value(interval: Interval | None) -> str:
    return ABSENT if interval is None else f"{interval.value:.3f}"


def _nested(auc: Intervals) -> dict[str, dict[str, dict[str, float] | None]]:
    """Return intervals by level and by pairs."""
    nested: dict[str, dict[str, dict[str, float] | None]] = {}
    for (level, pairs), interval in auc.items():
        own = None if interval is None else asdict(interval)
        nested.setdefault(level.value, {})[pairs.value] = own
    return nested


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
