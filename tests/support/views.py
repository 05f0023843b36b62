"""Records of views that a test has made up."""

from service.records import Laterality
from training.data.table import Record

STANDARD: tuple[tuple[Laterality, str], ...] = (
    ("L", "CC"),
    ("L", "MLO"),
    ("R", "CC"),
    ("R", "MLO"),
)


def view_of(
    patient: str,
    laterality: Laterality = "L",
    view: str = "CC",
    *,
    cancer: bool = False,
    exam: str = "",
    **columns: str,
) -> Record:
    """Return the record of one view. `columns`: further cells of its row."""
    return Record(
        patient_id=patient,
        image_id=f"{exam}{laterality}_{view}",
        laterality=laterality,
        view=view,
        cancer=cancer,
        exam_id=exam,
        columns=columns,
    )


def complete_exam(
    patient: str, *, cancers: str = "", exam: str = "", **columns: str
) -> list[Record]:
    """Return the four standard views of an exam. `cancers`: breasts with cancer, such as "L"."""
    return [
        view_of(patient, side, view, cancer=side in cancers, exam=exam, **columns)
        for side, view in STANDARD
    ]
