"""CBIS-DDSM: films with masses and calcifications, in four tables of abnormalities.

A film may be in several tables and rows, so that they are brought together by patient, breast and
view. The file names in the tables are of an earlier release. The folder that a path begins with is
right, so it tells where the files are, and their sizes tell which of them is the mask: that of the
film's size. The other one is the lesion cut out.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from service.records import Laterality, Mask
from training.data.table import CANCERS, LATERALITIES, meaning_of
from training.data.table_file import read_rows
from training.errors import TableError
from training.tables.published_set import PublishedSet, SetImage

TABLES = {
    f"{kind}_case_description_{part}_set.csv": part
    for kind in ("mass", "calc")
    for part in ("train", "test")
}
"""The part of the set that each table is of."""

_SIDE = "left_or_right_breast"
_COLUMNS = (
    "patient_id",
    "breast_density",
    _SIDE,
    "image_view",
    "abnormality_type",
    "assessment",
    "pathology",
    "image_file_path",
    "roi_mask_file_path",
)
_FOLDER = re.compile(r"(Mass|Calc)-(Training|Test)_P_\d+_(LEFT|RIGHT)_(CC|MLO)(_\d+)?")
_DEPTHS = ("*", "*/*", "*/*/*")


@dataclass(frozen=True, slots=True)
class _Abnormality:
    """Row of a table, with the part of the set that the table is of."""

    cells: Mapping[str, str]
    part: str
    laterality: Laterality
    malignant: bool

    @property
    def film(self) -> tuple[str, str, str]:
        """Key of the film, the same in all tables."""
        return self.cells["patient_id"], self.cells[_SIDE].upper(), self.cells["image_view"]


def read_cbis_ddsm(source: Path) -> PublishedSet:
    """Read the set from the directory of its tables, which holds the folders of its files as well.

    Raises:
        TableError: if there is none of the tables, or one cannot be used.
    """
    films: dict[tuple[str, str, str], list[_Abnormality]] = {}
    for abnormality in _read_abnormalities(source):
        films.setdefault(abnormality.film, []).append(abnormality)

    # Masses and calcifications were divided separately. Such patients are left to the test part.
    tested = {key[0] for key, rows in films.items() if _part(rows) == "test"}
    folders = _folders(source)
    images: list[SetImage] = []
    left_out: Counter[str] = Counter()
    for key, rows in films.items():
        places = dict.fromkeys(row.cells["image_file_path"] for row in rows)
        file = _largest([file for place in places for file in _files(folders, place)])
        if _part(rows) == "train" and key[0] in tested:
            left_out["training image of a patient in the test part"] += 1
        elif file is None:
            left_out["no image file"] += 1
        else:
            images.append(_image(rows, file, source, folders))

    return PublishedSet(source, tuple(images), left_out)


def _read_abnormalities(source: Path) -> Iterator[_Abnormality]:
    """Yield the rows of all tables, each with its part of the set."""
    tables = [source / name for name in TABLES if (source / name).is_file()]
    if not tables:
        raise TableError(f"{source} has none of the tables {', '.join(TABLES)}.")

    for table in tables:
        for line, row in read_rows(table, _COLUMNS):
            place = f"{table}, line {line}"
            yield _Abnormality(
                row,
                part=TABLES[table.name],
                laterality=meaning_of(row, _SIDE, LATERALITIES, "LEFT or RIGHT", place),
                malignant=meaning_of(row, "pathology", CANCERS, "MALIGNANT or BENIGN", place),
            )


def _part(rows: Sequence[_Abnormality]) -> str:
    return "test" if any(row.part == "test" for row in rows) else "train"


def _folders(source: Path) -> dict[str, Path]:
    """Return the folders of films and lesions by name."""
    paths = (path for depth in _DEPTHS for path in source.glob(depth))
    return {path.name: path for path in paths if _FOLDER.fullmatch(path.name)}


def _files(folders: Mapping[str, Path], path: str) -> list[Path]:
    """Return the files in the folder that a path of the tables begins with."""
    folder = folders.get(path.partition("/")[0])
    return [] if folder is None else sorted(folder.rglob("*.dcm"))


def _largest(files: Sequence[Path]) -> Path | None:
    return files[0] if len(files) == 1 else max(files, key=_pixels, default=None)


def _pixels(file: Path) -> int:
    rows, columns = _shape(file)
    return rows * columns


def _image(
    rows: Sequence[_Abnormality], file: Path, source: Path, folders: Mapping[str, Path]
) -> SetImage:
    first = rows[0]
    malignant = [row.cells for row in rows if row.malignant]
    lesions = [_files(folders, cells["roi_mask_file_path"]) for cells in malignant]
    return SetImage(
        patient_id=first.cells["patient_id"],
        image_id="_".join(first.film),
        laterality=first.laterality,
        view=first.cells["image_view"],
        cancer=bool(malignant),
        path=file.relative_to(source).as_posix(),
        fold=_part(rows),
        further={
            "density": first.cells["breast_density"],
            "birads": max(row.cells["assessment"] for row in rows),
            "abnormality": "+".join(sorted({row.cells["abnormality_type"] for row in rows})),
            "pathology": "+".join(sorted({row.cells["pathology"] for row in rows})),
        },
        draw_lesion=partial(_draw, file, lesions) if malignant else None,
    )


def _draw(film: Path, lesions: Sequence[Sequence[Path]]) -> Mask | None:
    """Unite the masks of the lesions, None if one of them has no file of the film's size."""
    shape = _shape(film)
    masks = [next((file for file in files if _shape(file) == shape), None) for files in lesions]

    union = np.zeros(shape, np.bool_)
    for mask in masks:
        if mask is None:
            return None
        union |= pydicom.dcmread(mask).pixel_array > 0

    return union


def _shape(file: Path) -> tuple[int, int]:
    """Return rows and columns from the header.

    Raises:
        TableError: if the file is not DICOM.
    """
    try:
        header = pydicom.dcmread(file, specific_tags=["Rows", "Columns"], stop_before_pixels=True)
    except InvalidDicomError as error:
        raise TableError(f"{file} is not DICOM: load it again.") from error
    return int(header.Rows), int(header.Columns)
