"""The split of a run as a file, `split.csv`: each image of the table with its part.

It is written once, when a run begins, and read back by every later step. A split that were drawn
again from a table that has grown would move patients from one part to another.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import NoReturn

from training.data.split import Split
from training.data.table import Record
from training.errors import RunError

_COLUMNS = ("part", "patient_id", "image_id")


def format_split(split: Split) -> str:
    """Return a split as CSV, part by part and in each part in the table's order."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(_rows(split))

    return text.getvalue()


def read_split(path: Path, records: Sequence[Record]) -> Split:
    """Read a split back, with the records of these images.

    Raises:
        RunError: the file is missing or damaged, or an image is not among the records.
    """
    if not path.exists():
        raise RunError(f"{path} is missing: restore it, or begin another run with --run.")

    by_key = {record.key: record for record in records}
    parts: dict[str, list[Record]] = {part.name: [] for part in fields(Split)}

    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) != _COLUMNS:
            _refuse(path)

        for row in rows:
            if row["part"] not in parts:
                _refuse(path)
            record = by_key.get((row["patient_id"], row["image_id"]))
            if record is None:
                raise RunError(
                    f"{path} names the image {row['patient_id']}/{row['image_id']}, which the "
                    "table no longer has: restore the table, or begin another run with --run."
                )
            parts[row["part"]].append(record)

    return Split(**{name: tuple(members) for name, members in parts.items()})


def _refuse(path: Path) -> NoReturn:
    raise RunError(f"{path} is damaged: restore it, or begin another run with --run.")


def _rows(split: Split) -> Iterator[tuple[str, str, str]]:
    for part in fields(split):
        for record in getattr(split, part.name):
            yield part.name, *record.key
