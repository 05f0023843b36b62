"""Write the tables of images, breasts and exams from the parts of a scoring whose images are done.

The order of rows and the names of exams depend on the listing alone. The fingerprints of studies
and patients stay behind with their key.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, parquet

from service.model import Manifest
from service.records import NotCounted
from service.runtime.scoring.exam_rows import BREAST_ROW, CELLS, EXAM_ROW, decide
from service.runtime.scoring.image_row import IMAGE_ROW, TEXT, Row
from service.runtime.scoring.run_folder import RunFolder, writing

_PRINTS = ("study", "patient", "instance")
_BATCH = 4096
_NOT_COUNTED: list[NotCounted | None] = [None, *NotCounted]

IMAGE_TABLE = pa.schema(
    [column for column in IMAGE_ROW if column.name not in _PRINTS] + [pa.field("not_counted", TEXT)]
)
"""Columns of the table of images."""


@dataclass(slots=True)
class Totals:
    """Counts of a scoring. `problems`: refused images by the name of the problem."""

    images: int = 0
    positive_images: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    exams: int = 0
    positive_exams: int = 0
    undecided_exams: int = 0


@dataclass(frozen=True, slots=True)
class _FromExams:
    """Facts of images that follow from their exams, by the number of the image.

    `not_counted`: index of the reason, 0 for none. `first`: number of the first image of the exam.
    """

    not_counted: NDArray[np.int8]
    first: NDArray[np.int64]


class _RowWriter:
    """Writes rows in batches."""

    def __init__(self, writer: parquet.ParquetWriter) -> None:
        self._writer = writer
        self._rows: list[Row] = []

    def add(self, *rows: Row) -> None:
        self._rows += rows
        if len(self._rows) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._rows, self._writer.schema))
        self._rows.clear()


def write_tables(folder: RunFolder, parts: int, images: int, manifest: Manifest) -> Totals:
    """Write the tables, that of the images last."""
    totals = Totals()
    from_exams = _write_exams(folder, parts, images, manifest, totals)
    _write_images(folder, parts, from_exams, totals)
    return totals


def _write_exams(
    folder: RunFolder, parts: int, images: int, manifest: Manifest, totals: Totals
) -> _FromExams:
    """Decide about every exam, and write the tables of breasts and exams."""
    from_exams = _FromExams(np.zeros(images, np.int8), np.zeros(images, np.int64))
    with writing(folder.breasts, BREAST_ROW) as breasts, writing(folder.exams, EXAM_ROW) as exams:
        breast_rows = _RowWriter(breasts)
        exam_rows = _RowWriter(exams)

        for group in _exams(folder, parts):
            decided = decide(exam_name(group[0], group[0]["number"]), group, manifest)
            exam_rows.add(decided.exam)
            breast_rows.add(*decided.breasts)
            _count_exam(totals, decided.exam)

            numbers = [image["number"] for image in group]
            from_exams.first[numbers] = numbers[0]
            for number, reason in decided.not_counted.items():
                from_exams.not_counted[number] = _NOT_COUNTED.index(reason)

        breast_rows.flush()
        exam_rows.flush()
    return from_exams


def exam_name(image: Mapping[str, Any], first: int) -> str:
    """Return the name of an image's exam: as listed, its folder, or the number of its first image.

    `first`: that number. It names a study, whose own identifier is not told.
    """
    exam: str = image["exam"]
    return f"study-{first}" if exam == image["study"] else exam


def _exams(folder: RunFolder, parts: int) -> Iterator[list[Row]]:
    """Yield the cells of each exam's images. Exams are in the order of their first images."""
    cells = pa.concat_tables(_read_cells(folder, part) for part in range(parts)).combine_chunks()
    codes = cells["exam"].combine_chunks().dictionary_encode().indices
    of_exams = np.flatnonzero(codes.is_valid().to_numpy(zero_copy_only=False))

    # Codes rise with the first appearance, and a stable order keeps images of an exam in theirs.
    order = of_exams[np.argsort(codes.drop_null().to_numpy(), kind="stable")]
    batches = (order[start : start + _BATCH] for start in range(0, len(order), _BATCH))
    rows = (row for batch in batches for row in cells.take(batch).to_pylist())
    for _, group in groupby(rows, itemgetter("exam")):
        yield list(group)


def _read_cells(folder: RunFolder, part: int) -> pa.Table:
    """Read what exams are decided from. Half of a digest of 256 bits tells files apart, too."""
    cells = parquet.read_table(folder.part(part), columns=list(CELLS))
    half = compute.utf8_slice_codeunits(cells["sha256"], 0, 32)
    return cells.set_column(cells.schema.get_field_index("sha256"), "sha256", half)


def _write_images(folder: RunFolder, parts: int, from_exams: _FromExams, totals: Totals) -> None:
    """Write the table of images."""
    with writing(folder.images, IMAGE_TABLE) as images:
        rows = _RowWriter(images)
        for part in range(parts):
            for row in parquet.read_table(folder.part(part)).to_pylist():
                number = row["number"]
                if row["exam"] is not None:
                    row["exam"] = exam_name(row, from_exams.first[number])
                row["not_counted"] = _NOT_COUNTED[from_exams.not_counted[number]]
                rows.add(row)
                _count_image(totals, row)
        rows.flush()


def _count_image(totals: Totals, row: Row) -> None:
    totals.images += 1
    totals.positive_images += row["positive"] is True
    if row["problem"] is not None:
        totals.problems[row["problem"]["slug"]] += 1


def _count_exam(totals: Totals, row: Row) -> None:
    totals.exams += 1
    totals.positive_exams += row.get("positive") is True
    totals.undecided_exams += row.get("positive") is None
