"""RSNA 2022 screening mammography challenge: train.csv and train_images/<patient>/<image>.dcm."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from training.data.table import CANCERS, LATERALITIES, REQUIRED_COLUMNS, meaning_of, resolve
from training.data.table_file import read_rows
from training.errors import TableError
from training.tables.published_set import PublishedSet, SetImage

_OWN = {*REQUIRED_COLUMNS, "exam_id", "fold", "path", "lesion_mask"}


def read_rsna(source: Path, images: str) -> PublishedSet:
    """Read the set from its directory, or from a table of other images in its columns.

    `images`: path template of an image below the directory of the table.

    Raises:
        TableError: if the table cannot be used.
    """
    table = source / "train.csv" if source.is_dir() else source
    rows = read_rows(table, REQUIRED_COLUMNS)

    read = tuple(_image(row, images, f"{table}, line {line}") for line, row in rows)
    return PublishedSet(table.parent, read, Counter())


def _image(row: Mapping[str, str], images: str, place: str) -> SetImage:
    path = resolve(images, row, "--images", place)
    if path is None:
        raise TableError(f"{place}: a column that `--images` uses is empty.")

    return SetImage(
        patient_id=row["patient_id"],
        exam_id=row.get("exam_id", ""),
        image_id=row["image_id"],
        laterality=meaning_of(row, "laterality", LATERALITIES, "L or R", place),
        view=row["view"],
        cancer=meaning_of(row, "cancer", CANCERS, "1 with cancer and 0 without", place),
        path=path.as_posix(),
        fold=row.get("fold", ""),
        further={name: cell for name, cell in row.items() if name not in _OWN},
    )
