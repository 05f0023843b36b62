"""Synthetic screening mammograms with known truth, good enough to exercise everything from the file to the heatmap.

anatomy and tissue -> finding -> image -> acquisition and dicom; cohort -> dataset
"""

from training.phantom.acquisition import Acquisition, Window
from training.phantom.anatomy import Body
from training.phantom.dataset import NotEmpty, write_dataset
from training.phantom.dicom import Identity, to_dicom, to_dicom_bytes
from training.phantom.finding import Finding, Kind
from training.phantom.image import Detector, PhantomImage, render_view

__all__ = [
    "Acquisition",
    "Body",
    "Detector",
    "Finding",
    "Identity",
    "Kind",
    "NotEmpty",
    "PhantomImage",
    "Window",
    "render_view",
    "to_dicom",
    "to_dicom_bytes",
    "write_dataset",
]
