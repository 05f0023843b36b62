"""Cases of one level of decision: images, breasts or exams."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.model import Level, combine
from training.data.table import Record
from training.evaluation.statistics import Labels, Values

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cases:
    """Cases [N] of one level.

    `records`: the views of each case. `labels`: 1 if any of them shows a cancer. `probabilities`:
    from the views' probabilities, as the service combines them. `thresholds`: of each case.
    """

    level: Level
    records: tuple[tuple[Record, ...], ...]
    labels: Labels
    probabilities: Values
    thresholds: Values

    def __len__(self) -> int:
        return len(self.records)

    @property
    def patients(self) -> list[str]:
        """The patient of each case."""
        return [views[0].patient_id for views in self.records]

    @property
    def positive(self) -> NDArray[np.bool_]:
        """Whether each case is decided positive."""
        return np.asarray(self.probabilities >= self.thresholds)


def group(level: Level, records: Sequence[Record]) -> list[Indices]:
    """Return the positions of each case's views, case by case in the order of appearance."""
    members: dict[object, list[int]] = {}
    for index, record in enumerate(records):
        members.setdefault(_key(level, record), []).append(index)

    return [np.array(indices) for indices in members.values()]


def gather(
    level: Level,
    records: Sequence[Record],
    probabilities: Values,
    groups: Sequence[Indices],
    thresholds: Values | float = np.inf,
    labels: Labels | None = None,
) -> Cases:
    """Return the cases of a level from the positions of their views.

    `labels`: of cases of which some views are left out. By default the views at hand tell.
    """
    views = tuple(tuple(records[index] for index in indices) for indices in groups)
    if labels is None:
        labels = np.array([any(record.cancer for record in case) for case in views], np.int32)

    return Cases(
        level,
        views,
        labels,
        combined(records, probabilities, groups),
        np.broadcast_to(np.asarray(thresholds, np.float64), len(views)),
    )


def combined(records: Sequence[Record], probabilities: Values, groups: Sequence[Indices]) -> Values:
    """Return the probability of each case, from the calibrated probabilities of its views."""
    return np.array(
        [
            combine(
                (records[index].laterality, float(probabilities[index])) for index in indices
            ).exam
            for indices in groups
        ]
    )


def _key(level: Level, record: Record) -> object:
    """Return the key that the views of a case share."""
    keys: dict[Level, object] = {
        Level.IMAGE: record.key,
        Level.BREAST: record.breast,
        Level.EXAM: record.exam,
    }
    return keys[level]
