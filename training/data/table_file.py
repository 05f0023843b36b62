"""Rows of a CSV file, with a sentence for each way in which a file is no such table."""

import csv
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from training.errors import TableError

_UTF16 = (BOM_UTF16_LE, BOM_UTF16_BE)


def column_name(header: str) -> str:
    """Return a column's name: lower case, with _ in place of blanks."""
    return "_".join(header.lower().split())


def read_rows(path: Path, required: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each row's last line, and its stripped cells by the column's name.

    A row that is too short has empty cells. `required`: names of columns that the file must have.

    Raises:
        TableError: if the file is not a CSV table, has no rows, or lacks or repeats a column.
    """
    _require_utf8(path)

    has_rows = False
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            columns = [column_name(cell) for cell in header]
            _require_columns(path, header, columns, required)

            for cells in filter(None, reader):
                has_rows = True
                row = dict.fromkeys(columns, "")
                row.update(zip(columns, map(str.strip, cells), strict=False))
                yield reader.line_num, row
    except (csv.Error, UnicodeDecodeError) as error:
        raise TableError(f"{path} is not a CSV table: {error}.") from error

    if not has_rows:
        raise TableError(f"{path} has a header but no rows.")


def read_number(row: Mapping[str, str], column: str, place: str) -> float:
    """Return the number in a cell.

    Raises:
        TableError: if it is none. The message has `place`.
    """
    try:
        return float(row[column])
    except ValueError as error:
        raise TableError(f"{place}: {column} is not a number.") from error


def _require_utf8(path: Path) -> None:
    """Raise TableError unless there is a file that is neither empty nor UTF-16."""
    if path.is_dir():
        raise TableError(f"{path} is a directory: name the CSV file in it.")
    try:
        with path.open("rb") as file:
            start = file.read(len(BOM_UTF16_LE))
    except FileNotFoundError as error:
        raise TableError(f"There is no table {path}.") from error

    if not start:
        raise TableError(f"{path} is empty.")
    if start in _UTF16 or b"\0" in start:
        raise TableError(f"{path} is UTF-16: save it as CSV in UTF-8.")


def _require_columns(
    path: Path, header: Sequence[str], columns: Sequence[str], required: Sequence[str]
) -> None:
    missing = [column for column in required if column not in columns]
    if missing and any(";" in cell for cell in header):
        raise TableError(f"{path} has semicolons between its columns: save it with commas.")
    if missing:
        raise TableError(f"{path} lacks the columns {', '.join(missing)}.")

    repeated = sorted({column for column in columns if column and columns.count(column) > 1})
    if repeated:
        raise TableError(f"{path} repeats the columns {', '.join(repeated)}: rename or delete one.")
