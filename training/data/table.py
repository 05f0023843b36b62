"""Read, check and filter tables in the columns of the RSNA 2022 screening challenge."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from service.records import Laterality
from training.config import ImageSource
from training.data.table_file import column_name, read_rows
from training.errors import TableError
from training.table_config import (
    Data,
    FurtherTable,
    ImageTable,
    RowFilter,
    fold_name,
    template_fields,
)

REQUIRED_COLUMNS = ("patient_id", "image_id", "laterality", "view", "cancer")
_MAX_NAMES = 5
_IDENTIFIER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")

Meaning = TypeVar("Meaning")

LATERALITIES: Mapping[str, Laterality] = {"l": "L", "left": "L", "r": "R", "right": "R"}
"""Sides by the lower-case words that tables have for them."""

CANCERS: Mapping[str, bool] = {
    **dict.fromkeys(("1", "1.0", "true", "yes", "malignant", "positive"), True),
    **dict.fromkeys(("0", "0.0", "false", "no", "benign", "negative"), False),
    "benign_without_callback": False,
}
"""Whether there is a cancer, by the lower-case words that tables have for it."""


@dataclass(frozen=True, slots=True)
class Record:
    """One image: a view of one breast in one exam of one patient.

    `view` is in upper case. `exam_id` and `fold` are empty if the table has no such column.
    `train_only`: the image is in no
    other part than the training part. `columns`: all cells of the table's row, by the column's
    name in lower case, as the table has them.
    """

    patient_id: str
    image_id: str
    laterality: Laterality
    view: str
    cancer: bool
    exam_id: str = ""
    fold: str = ""
    train_only: bool = False
    image: Path = Path()
    lesion_mask: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def key(self) -> tuple[str, str]:
        """Key of the image, which no other image of the experiment has."""
        return self.patient_id, self.image_id

    @property
    def exam(self) -> tuple[str, str]:
        """Key of the exam, the same for all its images."""
        return self.patient_id, self.exam_id

    @property
    def breast(self) -> tuple[str, str, Laterality]:
        """Key of the breast in this exam, the same for all its views."""
        return self.patient_id, self.exam_id, self.laterality


def load_records(source: ImageSource) -> tuple[Record, ...]:
    """Read the records of the experiment's tables that pass its filter, in the tables' order.

    Raises:
        TableError: if a table cannot be used, or if no row passes the filter.
    """
    tables = (source.data, *source.data.further)
    records = tuple(record for table in tables for record in read_table(table))
    if source.data.further:
        _require_single(records, "The tables together")

    return select(records, source.filter)


def read_table(table: ImageTable) -> tuple[Record, ...]:
    """Read every row of a CSV table as a record.

    Raises:
        TableError: if the file or columns are missing, a value is invalid, or an image is repeated.
            The message names the file, the columns, the first invalid row or the images.
    """
    path = table.table
    records = tuple(
        _record(row, table, f"{path}, line {line}")
        for line, row in read_rows(path, REQUIRED_COLUMNS)
    )

    _require_single(records, str(path))
    return records


def _require_single(records: Sequence[Record], tables: str) -> None:
    counts = Counter(record.key for record in records)
    repeated = [image for image, count in counts.items() if count > 1]
    if repeated:
        raise TableError(f"{tables} repeats images: {_enumerate(map('/'.join, repeated))}.")


def _record(row: Mapping[str, str], table: ImageTable, place: str) -> Record:
    for column in ("patient_id", "image_id"):
        if not _IDENTIFIER.fullmatch(row[column]):
            raise TableError(f"{place}: {column} must consist of letters, digits and . _ -")

    image = resolve(table.images, row, "images", place)
    if image is None:
        raise TableError(f"{place}: a column that `images` uses is empty.")

    prefix = f"{table.name}." if isinstance(table, FurtherTable) else ""
    masks = table.lesion_masks
    return Record(
        patient_id=prefix + row["patient_id"],
        image_id=row["image_id"],
        laterality=meaning_of(row, "laterality", LATERALITIES, "L or R", place),
        view=row["view"].upper(),
        cancer=meaning_of(row, "cancer", CANCERS, "1 with cancer and 0 without", place),
        exam_id=row.get("exam_id", ""),
        fold=fold_name(row.get("fold", "")),
        train_only=isinstance(table, FurtherTable) and table.train_only,
        image=image,
        lesion_mask=None if masks is None else resolve(masks, row, "lesion_masks", place),
        columns=row,
    )


def meaning_of(
    row: Mapping[str, str], column: str, words: Mapping[str, Meaning], remedy: str, place: str
) -> Meaning:
    """Return the meaning of a cell, in any case, by the words for it.

    Raises:
        TableError: if the cell is empty or has another word. The message has `place` and `remedy`.
    """
    cell = row[column].lower()
    if not cell:
        raise TableError(f"{place}: {column} is empty: write {remedy}, or delete the row.")
    if cell not in words:
        raise TableError(f"{place}: {column} is not known: write {remedy}.")
    return words[cell]


def resolve(template: str, row: Mapping[str, str], key: str, place: str) -> Path | None:
    """Return the path that a template gives for a row, None if a column that it uses is empty.

    Raises:
        TableError: if the row lacks a column. The message has `place`, and the `key` in the
            experiment that has the template.
    """
    columns = {name: column_name(name) for name in template_fields(template)}
    unknown = sorted(name for name, column in columns.items() if column not in row)
    if unknown:
        raise TableError(
            f"{place}: `{key}` uses {', '.join(unknown)}, which is no column of the table: "
            f"it has {', '.join(filter(None, row))}."
        )

    cells = {name: row[column] for name, column in columns.items()}
    return Path(template.format_map(cells)) if all(cells.values()) else None


def select(records: Sequence[Record], choice: RowFilter) -> tuple[Record, ...]:
    """Return the records that pass every condition of the filter.

    Raises:
        TableError: if the filter names unknown patients, or if no row passes it.
    """
    unknown = set(choice.patient_ids) - {record.patient_id for record in records}
    if unknown:
        raise TableError(
            f"The filter names patients that are not in the table: {_enumerate(sorted(unknown))}."
        )

    views = {view.upper() for view in choice.views}
    selected = tuple(
        record
        for record in records
        if (not choice.patient_ids or record.patient_id in choice.patient_ids)
        and (choice.cancer is None or record.cancer == choice.cancer)
        and (choice.laterality is None or record.laterality == choice.laterality)
        and (not views or record.view in views)
    )
    if not selected:
        raise TableError("No row of the table passes the filter.")

    return selected


def require_images(records: Iterable[Record], data: Data) -> None:
    """Check that the image file of every record exists.

    Raises:
        TableError: if files are missing. The message names the first of them.
    """
    missing = [str(record.image) for record in records if not record.image.is_file()]
    if missing:
        tables = ", ".join(str(table.table) for table in (data, *data.further))
        raise TableError(f"{len(missing)} images of {tables} have no file: {_enumerate(missing)}.")


def _enumerate(names: Iterable[str]) -> str:
    """List the first names, and the number of those left out."""
    listed = list(names)
    more = len(listed) - _MAX_NAMES
    return ", ".join(listed[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
