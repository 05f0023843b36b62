"""Predictions of the images of a part, and their files.

The files lie in the run. They hold the keys of patients and never become part of a bundle.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from service.model import Level
from training.data.table import Record
from training.errors import RunError
from training.evaluation.cases import Cases
from training.evaluation.statistics import Values
from training.fit.run import write_text

FLOOR = "floor_"
"""Begin of the names of columns with the scores of a floor."""

_KEYS = {
    Level.IMAGE: ("patient_id", "exam_id", "image_id", "laterality", "view"),
    Level.BREAST: ("patient_id", "exam_id", "laterality"),
    Level.EXAM: ("patient_id", "exam_id"),
}


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions of images [N].

    `margins`: of the network, before calibration. `probabilities`: calibrated, at the deployment
    prevalence. `at_data`: the same at the prevalence of the data, which alone can be compared with
    the labels. `floors`: scores of each floor, by its name.
    """

    records: tuple[Record, ...]
    margins: Values
    probabilities: Values
    at_data: Values
    floors: Mapping[str, Values] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.records)


def join(parts: Sequence[Predictions]) -> Predictions:
    """Return the predictions of several parts as one, with the floors that all of them have."""
    names = [name for name in parts[0].floors if all(name in part.floors for part in parts)]
    return Predictions(
        records=tuple(record for part in parts for record in part.records),
        margins=np.concatenate([part.margins for part in parts]),
        probabilities=np.concatenate([part.probabilities for part in parts]),
        at_data=np.concatenate([part.at_data for part in parts]),
        floors={name: np.concatenate([part.floors[name] for part in parts]) for name in names},
    )


def write_predictions(path: Path, predictions: Predictions, cases: Cases) -> None:
    """Write the predictions of single images, with their decisions, as a CSV table."""
    rows = [
        {
            **_key(Level.IMAGE, record),
            "cancer": int(record.cancer),
            "margin": predictions.margins[index],
            "probability": predictions.probabilities[index],
            "probability_at_data_prevalence": predictions.at_data[index],
            "positive": int(cases.positive[index]),
            **{FLOOR + name: scores[index] for name, scores in predictions.floors.items()},
        }
        for index, record in enumerate(predictions.records)
    ]
    _write(path, rows)


def write_cases(path: Path, cases: Cases) -> None:
    """Write the cases of a level, breasts or exams, as a CSV table."""
    rows = [
        {
            **_key(cases.level, views[0]),
            "views": len(views),
            "cancer": int(cases.labels[index]),
            "probability": cases.probabilities[index],
            "positive": int(cases.positive[index]),
        }
        for index, views in enumerate(cases.records)
    ]
    _write(path, rows)


def read_predictions(path: Path, records: Sequence[Record]) -> Predictions:
    """Read predictions of single images back, with the records of these images.

    Raises:
        RunError: an image is not among the records.
    """
    by_key = {record.key: record for record in records}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    missing = [row for row in rows if (row["patient_id"], row["image_id"]) not in by_key]
    if missing:
        raise RunError(
            f"{path} has the image {missing[0]['patient_id']}/{missing[0]['image_id']}, which the "
            "table no longer has: restore the table, or evaluate again."
        )

    columns = {name: _column(rows, name) for name in rows[0] if name not in _KEYS[Level.IMAGE]}
    return Predictions(
        records=tuple(by_key[row["patient_id"], row["image_id"]] for row in rows),
        margins=columns["margin"],
        probabilities=columns["probability"],
        at_data=columns["probability_at_data_prevalence"],
        floors={
            name.removeprefix(FLOOR): scores
            for name, scores in columns.items()
            if name.startswith(FLOOR)
        },
    )


def _column(rows: Sequence[Mapping[str, str]], name: str) -> Values:
    return np.array([float(row[name]) for row in rows])


def _key(level: Level, record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _KEYS[level]}


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as a CSV table, atomically. All rows have the columns of the first."""
    text = io.StringIO()
    writer = csv.DictWriter(text, tuple(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)

    write_text(path, text.getvalue())
