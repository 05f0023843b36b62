"""Tables of `benchmarks.faults`: lines of the scorecard and warnings, by fault."""

import itertools
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.families import OUT
from service.model import ScorecardEntry
from training.config import Requirements
from training.fit.run import read_json
from training.scorecard.criteria import EVEN_SPREADS, judge
from training.scorecard.estimates import Estimate

FULL = 24  # images of a model with full diagnostics
REFERENCES = ("own", "healthy")
MANY_PASSES = {"unusual-insertion-gap", "heat-without-effect"}

Documents = Mapping[str, list[Any]]
"""Documents of the models with each fault, one for each seed."""

Lines = Mapping[str, Sequence[Mapping[str, ScorecardEntry]]]
"""Lines by name of the models with each fault, one mapping for each seed."""


def report(family: str, faults: Sequence[str], seeds: Sequence[int]) -> None:
    """Print how many models fail each scorecard line, and how often each warning is raised."""
    print(
        f"\n{family}: {len(seeds)} models of each kind, seeds {' '.join(map(str, seeds))}, "
        f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}"
    )
    cards = _read(family, faults, seeds, "scorecard.json")
    lines = {fault: [_lines(card) for card in cards[fault]] for fault in cards}
    _report_lines(lines)
    _report_values(lines)
    _report_warnings(_read(family, faults, seeds, "warnings.json"))


def _read(family: str, faults: Sequence[str], seeds: Sequence[int], name: str) -> Documents:
    """Read a document of every model."""
    return {
        fault: [read_json(OUT / family / f"{fault}-{seed}" / name) for seed in seeds]
        for fault in faults
    }


def _report_lines(lines: Lines) -> None:
    """Print the number of models that fail each line, and after a slash of those undecided."""
    _print_head("line: failed/undecided", lines)

    (first, *_) = lines.values()
    for name, line in first[0].items():
        if line.verdict != "informative":
            _print_row(f"`{name}`", [_count(models, {name}) for models in lines.values()])
    _print_row("any", [_count(models, set(first[0])) for models in lines.values()])


def judge_again(lines: Sequence[ScorecardEntry]) -> tuple[ScorecardEntry, ...]:
    """Return the lines of a scorecard, judged by the present criteria."""
    written = {line.name: line for line in lines}
    figures = {
        name: None if line.value is None else Estimate(line.value, line.low, line.high, line.cases)
        for name, line in written.items()
    }

    # The bound of this line depends on the number of cells.
    bound = float(written["stationary"].asked.removeprefix("at most "))
    return judge(figures, Requirements(), cells=round(EVEN_SPREADS / bound))


def _lines(card: Any) -> dict[str, ScorecardEntry]:
    """Return the lines of a scorecard by name, judged by the present criteria."""
    lines = [ScorecardEntry(**line) for line in card["scorecard"]["lines"]]
    return {line.name: line for line in judge_again(lines)}


def _count(models: Sequence[Mapping[str, ScorecardEntry]], names: set[str]) -> str:
    """Count the models that fail any of these lines, and those that only are undecided."""
    verdicts = [{lines[name].verdict for name in names if name in lines} for lines in models]
    failed = sum("fail" in verdict for verdict in verdicts)
    undecided = sum("undecided" in verdict and "fail" not in verdict for verdict in verdicts)
    return f"{failed}/{undecided}"


def _report_values(lines: Lines) -> None:
    """Print the lowest and the highest value of each line."""
    _print_head("line: lowest to highest", lines)

    (first, *_) = lines.values()
    for name in first[0]:
        cells = []
        for models in lines.values():
            named = [model.get(name) for model in models]
            values = [line.value for line in named if line and line.value is not None]
            cells.append(f"{min(values):.2f} to {max(values):.2f}" if values else "-")
        _print_row(f"`{name}`", cells)


def _report_warnings(documents: Documents) -> None:
    """Print the share of images with each warning, by reference and by extent of diagnostics."""
    rows = {
        fault: [row for document in documents[fault] for row in document] for fault in documents
    }

    for reference, full in itertools.product(REFERENCES, (False, True)):
        codes = {
            fault: [
                _codes(row, reference, full=full)
                for row in rows[fault]
                if reference in row and (row["full"] or not full)
            ]
            for fault in rows
        }
        codes = {fault: images for fault, images in codes.items() if images}

        extent = f"full diagnostics of {FULL}" if full else "default diagnostics"
        _print_head(f"{extent}, {reference} reference", codes)
        for code in sorted(set().union(*itertools.chain.from_iterable(codes.values()))):
            shares = [np.mean([code in image for image in codes[fault]]) for fault in codes]
            _print_row(f"`{code}`", [f"{value:.1%}" for value in shares])
        shares = [np.mean([bool(image) for image in codes[fault]]) for fault in codes]
        _print_row("any", [f"{value:.1%}" for value in shares])


def _codes(row: Mapping[str, Any], reference: str, *, full: bool) -> set[str]:
    """Return the codes of the warnings of one image.

    Without `full`, warnings of the figures that take many passes are left out.
    """
    return set(row[reference]["codes"]) - (set() if full else MANY_PASSES)


def _print_head(title: str, documents: Mapping[str, Any]) -> None:
    """Print the head of a table as Markdown."""
    print(f"\n{title}\n")
    _print_row("", list(documents))
    _print_row("---", ["---"] * len(documents))


def _print_row(name: str, cells: Sequence[str]) -> None:
    """Print a row of a table as Markdown."""
    print(f"| {' | '.join([name, *cells])} |")
