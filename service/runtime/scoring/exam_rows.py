"""The results of an exam and its breasts, from the rows of its images, as POST /exam decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from service.errors import MammolensError, MixedExam, NoImageAnswered
from service.model import Manifest
from service.pipeline import (
    AnsweredImage,
    CountedImage,
    count_images,
    decide_breasts,
    decide_exam,
    decision_warnings,
)
from service.records import ImageFacts, LevelDecision, NotCounted
from service.runtime.scoring.image_row import (
    PROBLEM,
    TEXT,
    WARNINGS,
    Row,
    problem_row,
    warning_cells,
)

_DECISION: Sequence[tuple[str, pa.DataType]] = (
    ("probability", pa.float64()),
    ("threshold", pa.float64()),
    ("positive", pa.bool_()),
    ("percentile", pa.float64()),
)

BREAST_ROW = pa.schema(
    [("exam", TEXT), ("laterality", TEXT), *_DECISION, ("images", pa.list_(pa.int64()))]
)
"""Columns of a breast. `images`: numbers of those that count."""

EXAM_ROW = pa.schema(
    [
        ("exam", TEXT),
        *_DECISION,
        ("driven_by", TEXT),
        ("views", pa.list_(TEXT)),
        ("missing_views", pa.list_(TEXT)),
        ("images", pa.int32()),
        ("refused", pa.int32()),
        ("warnings", WARNINGS),
        ("problem", PROBLEM),
    ]
)
"""Columns of an exam. `images`: how many there are, of which some may be `refused`."""

CELLS = (
    *("number", "exam", "sha256", "study", "patient", "instance", "format", "laterality"),
    *("view", "view_modifiers", "partial_view", "derivation", "probability"),
)
"""Columns of an image from which its exam is decided."""


@dataclass(frozen=True, slots=True)
class ExamRows:
    """Rows of an exam and its breasts. `not_counted`: reasons by the number of the image."""

    exam: Row
    breasts: Sequence[Row]
    not_counted: Mapping[int, NotCounted]


def decide(name: str, images: Sequence[Mapping[str, Any]], manifest: Manifest) -> ExamRows:
    """Decide about an exam from the cells of its images, which are refused without a probability.

    An exam of several studies or patients is not decided, and neither is one without an image.
    """
    answered = [image for image in images if image["probability"] is not None]
    counts: Row = {
        "exam": name,
        "images": len(images),
        "refused": len(images) - len(answered),
    }
    error = _refusal(images, answered)
    if error is not None:
        return ExamRows(counts | problem_row(error), [], {})

    reasons = dict(
        zip(
            (image["number"] for image in answered),
            count_images([_answered(image) for image in answered]),
            strict=True,
        )
    )
    counted = [
        CountedImage(image["number"], image["laterality"], image["view"], image["probability"])
        for image in answered
        if reasons[image["number"]] is None
    ]
    breasts = decide_breasts(manifest, counted)
    exam = decide_exam(manifest, counted)

    row = counts | {"warnings": warning_cells(decision_warnings(manifest, breasts, exam))}
    if exam is not None:
        row |= _decision(exam.decision)
        row |= {name: getattr(exam, name) for name in ("driven_by", "views", "missing_views")}
    return ExamRows(
        row,
        [
            {"exam": name, "laterality": side, "images": breast.images} | _decision(breast.decision)
            for side, breast in breasts.items()
        ],
        {number: reason for number, reason in reasons.items() if reason is not None},
    )


def _refusal(
    images: Sequence[Mapping[str, Any]], answered: Sequence[Mapping[str, Any]]
) -> MammolensError | None:
    """Return the reason for which an exam as a whole is not decided."""
    for column, kind in (("patient", "patients"), ("study", "studies")):
        if len({image[column] for image in images} - {None}) > 1:
            return MixedExam(f"The files are of different {kind}.")
    return None if answered else NoImageAnswered([])


def _answered(image: Mapping[str, Any]) -> AnsweredImage:
    facts = ImageFacts(
        format=image["format"],
        rows=0,
        columns=0,
        bits=0,
        laterality=image["laterality"],
        view=image["view"],
        view_modifiers=tuple(image["view_modifiers"]),
        partial_view=image["partial_view"],
        derivation=image["derivation"],
        sop_instance_uid=image["instance"],
    )
    return AnsweredImage(bytes.fromhex(image["sha256"]), facts)


def _decision(decision: LevelDecision) -> Row:
    return {name: getattr(decision, name) for name, _ in _DECISION}
