"""VinDr-Mammo: breast-level_annotations.csv, finding_annotations.csv and DICOM files by study.

The set has no pathology. An image counts as one with cancer if radiologists gave its breast
BI-RADS 4 or 5: a suspicion, which many biopsies do not confirm. It names studies and no patients,
so that each study counts as a patient.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from training.data.table import LATERALITIES, meaning_of
from training.data.table_file import read_number, read_rows
from training.tables.lesion_shapes import Box, fill_boxes
from training.tables.published_set import PublishedSet, SetImage

BREASTS = "breast-level_annotations.csv"
FINDINGS = "finding_annotations.csv"
METADATA = "metadata.csv"

_BREAST_COLUMNS = (
    "study_id",
    "image_id",
    "laterality",
    "view_position",
    "height",
    "width",
    "breast_birads",
    "breast_density",
    "split",
)
_EDGES = ("xmin", "ymin", "xmax", "ymax")
_SUSPICIOUS = ("4", "5")


def read_vindr(source: Path) -> PublishedSet:
    """Read the set from its directory. Ages and machines come from metadata.csv, if it is there.

    Raises:
        TableError: if a table cannot be used.
    """
    boxes = _suspicious_boxes(source / FINDINGS)
    headers = _headers(source / METADATA)
    images: list[SetImage] = []
    for line, row in read_rows(source / BREASTS, _BREAST_COLUMNS):
        image_id = row["image_id"]
        place = f"{source / BREASTS}, line {line}"
        images.append(_image(row, boxes.get(image_id, ()), headers.get(image_id, {}), place))

    return PublishedSet(source, tuple(images), Counter())


def _image(
    row: Mapping[str, str], boxes: Sequence[Box], headers: Mapping[str, str], place: str
) -> SetImage:
    shape = int(read_number(row, "height", place)), int(read_number(row, "width", place))
    birads = _last_word(row["breast_birads"])
    return SetImage(
        patient_id=row["study_id"],
        exam_id=row["study_id"],
        image_id=row["image_id"],
        laterality=meaning_of(row, "laterality", LATERALITIES, "L or R", place),
        view=row["view_position"],
        cancer=birads.startswith(_SUSPICIOUS),
        path=f"images/{row['study_id']}/{row['image_id']}.dicom",
        fold=row["split"],
        further={"birads": birads, "density": _last_word(row["breast_density"]), **headers},
        draw_lesion=partial(fill_boxes, boxes, shape) if boxes else None,
    )


def _suspicious_boxes(path: Path) -> dict[str, list[Box]]:
    """Return the boxes of findings of BI-RADS 4 and 5, by image."""
    boxes: dict[str, list[Box]] = {}
    for line, row in read_rows(path, ("image_id", "finding_birads", *_EDGES)):
        if _last_word(row["finding_birads"]).startswith(_SUSPICIOUS):
            place = f"{path}, line {line}"
            left, top, right, bottom = (read_number(row, edge, place) for edge in _EDGES)
            boxes.setdefault(row["image_id"], []).append((left, top, right, bottom))

    return boxes


def _headers(path: Path) -> dict[str, dict[str, str]]:
    """Return age and machine from the DICOM headers, by image; nothing without the table."""
    if not path.exists():
        return {}

    return {
        row["sop_instance_uid"]: {
            "age": row.get("patient's_age", "").removesuffix("Y").lstrip("0"),
            "machine_id": row.get("manufacturer's_model_name", ""),
        }
        for _, row in read_rows(path, ("sop_instance_uid",))
    }


def _last_word(text: str) -> str:
    """Return the 4 of BI-RADS 4 and the C of DENSITY C."""
    return text.rsplit(maxsplit=1)[-1] if text else ""
