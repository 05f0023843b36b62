"""Read, check and filter a table in the columns of the RSNA 2022 screening challenge."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.records import Laterality
from training.config import Data, ImageSource, RowFilter
from training.errors import TableError

REQUIRED_COLUMNS = ("patient_id", "image_id", "laterality", "view", "cancer")
_MAX_NAMES = 5
_LATERALITIES: Mapping[str, Laterality] = {"L": "L", "R": "R"}
_CANCERS = {"0": False, "1": True}
_IDENTIFIER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Record:
    """One image: a view of one breast of one patient.

    `fold` is empty if the table has no such column.
    """

    patient_id: str
    image_id: str
    laterality: Laterality
    view: str
    cancer: bool
    fold: str = ""

    @property
    def breast(self) -> tuple[str, Laterality]:
        """Key of the breast, the same for all its views."""
        return self.patient_id, self.laterality

    def locate(self, template: str) -> Path:
        """Return the path of this image from one of the experiment's path templates."""
        return Path(template.format(patient_id=self.patient_id, image_id=self.image_id))


def load_records(source: ImageSource) -> tuple[Record, ...]:
    """Read the records of the experiment's table that pass its filter, in the table's order.

    Raises:
        TableError: if the table cannot be used, or if no row passes the filter.
    """
    return select(read_table(source.data.table), source.filter)


def read_table(path: Path) -> tuple[Record, ...]:
    """Read every row of a CSV table as a record.

    Raises:
        TableError: if the file or columns are missing, a value is invalid, or an image is repeated.
            The message names the file, the columns, the first invalid row or the images.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [
                column for column in REQUIRED_COLUMNS if column not in (reader.fieldnames or ())
            ]
            if missing:
                raise TableError(f"{path} lacks the columns {', '.join(missing)}.")
            records = tuple(_record(row, f"{path}, line {reader.line_num}") for row in reader)
    except FileNotFoundError as error:
        raise TableError(f"There is no table {path}.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise TableError(f"{path} is not a CSV table: {error}.") from error

    counts = Counter((record.patient_id, record.image_id) for record in records)
    repeated = [image for image, count in counts.items() if count > 1]
    if repeated:
        raise TableError(
            f"{path} repeats images: {_enumerate('/'.join(image) for image in repeated)}."
        )

    return records


def _record(row: Mapping[str, str | None], place: str) -> Record:
    value = {
        column: (row[column] or "").strip()
        for column in (*REQUIRED_COLUMNS, "fold")
        if column in row
    }

    for column in ("patient_id", "image_id"):
        if not _IDENTIFIER.fullmatch(value[column]):
            raise TableError(f"{place}: {column} must consist of letters, digits and . _ -")
    if value["laterality"] not in _LATERALITIES:
        raise TableError(f"{place}: laterality must be L or R.")
    if value["cancer"] not in _CANCERS:
        raise TableError(f"{place}: cancer must be 0 or 1.")

    return Record(
        patient_id=value["patient_id"],
        image_id=value["image_id"],
        laterality=_LATERALITIES[value["laterality"]],
        view=value["view"],
        cancer=_CANCERS[value["cancer"]],
        fold=value.get("fold", ""),
    )


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

    selected = tuple(
        record
        for record in records
        if (not choice.patient_ids or record.patient_id in choice.patient_ids)
        and (choice.cancer is None or record.cancer == choice.cancer)
        and (choice.laterality is None or record.laterality == choice.laterality)
        and (not choice.views or record.view in choice.views)
    )
    if not selected:
        raise TableError("No row of the table passes the filter.")

    return selected


def require_images(records: Iterable[Record], data: Data) -> None:
    """Check that the image file of every record exists.

    Raises:
        TableError: if files are missing. The message names the first of them.
    """
    missing = [
        str(path) for record in records if not (path := record.locate(data.images)).is_file()
    ]
    if missing:
        raise TableError(
            f"{len(missing)} images of {data.table} have no file: {_enumerate(missing)}."
        )


def _enumerate(names: Iterable[str]) -> str:
    """List the first names, and the number of those left out."""
    listed = list(names)
    more = len(listed) - _MAX_NAMES
    return ", ".join(listed[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
