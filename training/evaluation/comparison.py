"""Compare a network with the floor, within one machine, and between subgroups.

A network that has learnt the machine, the age or the brightness has learnt a shortcut. Its figures
mean something only beside those of a regression on these facts alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from service.model import Level
from service.records import Floats, Mask
from training.data.cache import Part
from training.data.prepared import PreparedSplit
from training.data.table import Record
from training.data.table_file import column_name
from training.evaluation.cases import Cases, combined, group
from training.evaluation.cells import MISSING, named
from training.evaluation.discrimination import area, auc_within
from training.evaluation.floor import FloorInput, fit_floors, measure_pictures
from training.evaluation.measure import Measured
from training.evaluation.predictions import Predictions
from training.evaluation.resampling import intervals, paired_difference
from training.evaluation.statistics import Values
from training.evaluation.subgroups import Subgroup, measure_subgroups
from training.evaluation_config import Comparison

_BATCH = 8
_LEVELS: Mapping[str, Level] = {"images": Level.IMAGE, "breasts": Level.BREAST}


def floor_scores(parts: PreparedSplit, comparison: Comparison) -> dict[str, Values]:
    """Return the floors' scores of the test images, by floor.

    They are fitted on the training part. Columns that the table lacks are left out.
    """
    columns = [
        name for name in comparison.metadata if _cells(parts.train.records, name) is not None
    ]
    floors = fit_floors(_floor_input(parts.train, columns), parts.train.labels)
    tested = _floor_input(parts.test, columns)

    return {kind.value: floor.score(tested) for kind, floor in floors.items()}


def compare(predictions: Predictions, measured: Measured, comparison: Comparison) -> dict[str, Any]:
    """Return the figures of the floors, those within one machine, and those of subgroups."""
    machines = _cells(predictions.records, comparison.machine)
    return {
        "floor": {
            name: {
                cases: _beside(predictions, scores, measured.cases[level])
                for cases, level in _LEVELS.items()
            }
            for name, scores in predictions.floors.items()
        },
        "within_machine": None
        if machines is None
        else {
            name: {
                cases: _within(scores, measured.cases[level], predictions.records, machines)
                for cases, level in _LEVELS.items()
            }
            for name, scores in {
                "network": predictions.probabilities,
                **predictions.floors,
            }.items()
        },
    }


def _beside(predictions: Predictions, scores: Values, cases: Cases) -> dict[str, Any]:
    """Return the AUC of a floor, and the network's AUC minus it, on the cases of a level."""
    floor = combined(predictions.records, scores, group(cases.level, predictions.records))
    own = intervals({"auc": area}, cases.labels, floor, cases.patients)
    difference = paired_difference(area, cases.labels, cases.probabilities, floor, cases.patients)

    return {
        **{name: asdict(interval) for name, interval in own.items()},
        "network_minus_floor": None if difference is None else asdict(difference),
    }


def _within(
    scores: Values, cases: Cases, records: Sequence[Record], machines: Sequence[str]
) -> dict[str, float] | None:
    """Return the AUC over pairs of cases of one machine. Cases without a machine are left out.

    `scores`, `records`, `machines`: of each image. The machine of a case is that of its first view.
    """
    groups = group(cases.level, records)
    of_cases = named([machines[indices[0]] for indices in groups])
    known = [index for index, machine in enumerate(of_cases) if machine != MISSING]
    if not known:
        return None

    within = auc_within(
        cases.labels[known],
        combined(records, scores, groups)[known],
        [of_cases[index] for index in known],
        [cases.patients[index] for index in known],
    )
    return None if within is None else asdict(within)


def group_figures(cases: Cases, columns: Sequence[str]) -> list[Subgroup]:
    """Return the figures of single images in each group of the columns that the table has."""
    records = [views[0] for views in cases.records]
    cells = {name: cells for name in columns if (cells := _cells(records, name)) is not None}
    return measure_subgroups(
        cells, cases.labels, cases.probabilities, cases.patients, cases.positive
    )


def _floor_input(part: Part, columns: Sequence[str]) -> FloorInput:
    brightness, thumbnails = measure_pictures(_batches(part))
    cells = {name: _cells(part.records, name) or [""] * len(part) for name in columns}
    return FloorInput(cells, brightness, thumbnails)


def _batches(part: Part) -> Iterator[tuple[Floats, list[Mask]]]:
    """Yield all images of a part with their breast masks, a few at a time."""
    for start in range(0, len(part), _BATCH):
        indices = np.arange(start, min(start + _BATCH, len(part)))
        yield part.images(indices), [part.mask(int(index)) for index in indices]


def _cells(records: Sequence[Record], column: str) -> list[str] | None:
    """Return the cells of a column, or None if no table has such a column.

    Of several tables some may lack it. Their cells are empty.
    """
    name = column_name(column)
    if not any(name in record.columns for record in records):
        return None
    return [record.columns.get(name, "") for record in records]
