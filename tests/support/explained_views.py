"""Views of an exam with their answers and their objects, from a running service."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import requests
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import (
    ComprehensiveSRStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
)

from service.records import Pixels


class ExplainedView(NamedTuple):
    """One view: its file, its answer from /gradcam, and its objects."""

    source: Dataset
    answer: dict[str, Any]
    capture: Dataset
    segmentation: Dataset
    marks: Dataset

    @property
    def per_cent(self) -> float:
        """Probability of cancer."""
        return 100 * float(self.answer["prediction"]["probabilities"]["cancer"])

    @property
    def contours(self) -> list[NDArray[np.float64]]:
        """Contours of the regions from the centre of the top left pixel."""
        return [np.array(region["contour"]) for region in self.answer["regions"]]

    def mask(self) -> Pixels:
        """Return the pixels within the contours."""
        mask = np.zeros((self.source.Rows, self.source.Columns), np.uint8)
        for contour in self.contours:
            cv2.fillPoly(mask, [np.round(contour).astype(np.int32)], 1)
        return mask


def ask_heat(server: str, file: Path, query: str) -> dict[str, Any]:
    """Return the answer of /gradcam about a file."""
    headers = {"Content-Type": "application/dicom", "Accept": "application/json"}
    url = f"{server}/gradcam{query}"
    answer = requests.post(url, file.read_bytes(), headers=headers, timeout=60)
    answer.raise_for_status()
    return dict(answer.json())


def arrange(
    sources: Sequence[Dataset],
    answers: Sequence[dict[str, Any]],
    objects: Sequence[Dataset],
) -> list[ExplainedView]:
    """Return each image with its own objects, as their references tell."""
    captures = {
        one.SourceImageSequence[0].ReferencedSOPInstanceUID: one
        for one in objects
        if one.SOPClassUID == SecondaryCaptureImageStorage and not is_summary(one)
    }
    segmentations = {
        one.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID: one
        for one in objects
        if one.SOPClassUID == SegmentationStorage
    }
    marks = {
        one.CurrentRequestedProcedureEvidenceSequence[0]
        .ReferencedSeriesSequence[0]
        .ReferencedSOPSequence[0]
        .ReferencedSOPInstanceUID: one
        for one in objects
        if one.SOPClassUID == ComprehensiveSRStorage
    }
    return [
        ExplainedView(source, answer, captures[uid], segmentations[uid], marks[uid])
        for source, answer in zip(sources, answers, strict=True)
        for uid in [source.SOPInstanceUID]
    ]


def is_summary(dataset: Dataset) -> bool:
    """Whether it is the page of an exam, which shows no image alone."""
    shape = (dataset.get("Rows"), dataset.get("Columns"))
    return dataset.SOPClassUID == SecondaryCaptureImageStorage and shape == (1200, 1600)
