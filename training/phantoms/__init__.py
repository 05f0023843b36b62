"""Synthetic screening mammograms with known truth, for tests from the DICOM file to the heatmap.

anatomy and tissue -> finding -> view -> acquisition and dicom_writer
cohort -> exams
"""

from training.errors import NotEmpty
from training.phantoms.acquisition import Acquisition, PhantomWindow
from training.phantoms.anatomy import Body
from training.phantoms.dicom_modules import VIEWS, PhantomIdentity
from training.phantoms.dicom_writer import to_dicom, to_dicom_bytes
from training.phantoms.exams import write_dataset
from training.phantoms.finding import Finding, FindingKind
from training.phantoms.view import Detector, PhantomImage, render_view

__all__ = [
    "VIEWS",
    "Acquisition",
    "Body",
    "Detector",
    "Finding",
    "FindingKind",
    "NotEmpty",
    "PhantomIdentity",
    "PhantomImage",
    "PhantomWindow",
    "render_view",
    "to_dicom",
    "to_dicom_bytes",
    "write_dataset",
]
