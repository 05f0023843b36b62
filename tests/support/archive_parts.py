"""An archive of several parts, and the tables of its scoring."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from tests.support.exam_files import STANDARD_VIEWS, exam_file

PATIENTS = 16


def write_archive(folder: Path) -> Path:
    """Write the four views of each patient: 64 images, which are four parts."""
    for patient in range(PATIENTS):
        for side, view in STANDARD_VIEWS:
            path = folder / f"{patient:02d}-{side}-{view}.dcm"
            path.write_bytes(exam_file(side, view, 1 + patient))
    return folder


def read_tables(out: Path) -> Mapping[str, pa.Table]:
    """Return the tables of a scoring by name."""
    return {path.stem: parquet.read_table(path) for path in out.glob("*.parquet")}
