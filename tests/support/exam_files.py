"""Small files of an exam, each a phantom as DICOM."""

from functools import cache
from io import BytesIO

import numpy as np

from service.records import Laterality
from training.phantoms import Acquisition, Detector, PhantomIdentity, render_view, to_dicom
from training.phantoms.anatomy import View

STANDARD_VIEWS: tuple[tuple[Laterality, View], ...] = (
    ("L", "CC"),
    ("L", "MLO"),
    ("R", "CC"),
    ("R", "MLO"),
)


@cache
def exam_file(side: Laterality, view: View, patient: int = 1, **elements: object) -> bytes:
    """Return a view of a patient as a DICOM file. `elements`: other values, by keyword."""
    number = STANDARD_VIEWS.index((side, view)) + 1
    image = render_view(
        np.random.default_rng(number), laterality=side, view=view, detector=Detector(320, 240)
    )
    dataset = to_dicom(image, Acquisition(), PhantomIdentity(patient, number))
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)

    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def complete_exam_files() -> list[bytes]:
    """Return the four views of one patient."""
    return [exam_file(side, view) for side, view in STANDARD_VIEWS]


def as_form(files: list[bytes], name: str = "file") -> list[tuple[str, tuple[str, bytes]]]:
    """Return the files as parts of a form with that name."""
    return [(name, ("image", data)) for data in files]
