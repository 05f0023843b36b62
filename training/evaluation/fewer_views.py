"""Exams with fewer views, made of complete exams by leaving views out."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from service.pipeline.counted_images import STANDARD_VIEWS

Exam = TypeVar("Exam", bound=Hashable)


@dataclass(frozen=True, slots=True)
class ViewChoices(Generic[Exam]):
    """Every way to choose a number of views of complete exams.

    `exams` [S]: the exam of each choice. `rows` [S, views]: its images, as rows of the table, in
    the order of `STANDARD_VIEWS`.
    """

    exams: tuple[Exam, ...]
    rows: NDArray[np.intp]


def complete_exams(
    exams: Sequence[Exam], lateralities: Sequence[str], views: Sequence[str]
) -> dict[Exam, list[int]]:
    """Return the rows of each complete exam's images, in the order of `STANDARD_VIEWS`.

    The arguments have one value for each image. An exam is complete if it has both standard views
    of both breasts. Of a repeated view the first image counts, and other views are left out.
    """
    images: dict[Exam, dict[tuple[str, str], int]] = {}
    for row, (exam, *view) in enumerate(zip(exams, lateralities, views, strict=True)):
        images.setdefault(exam, {}).setdefault((view[0], view[1]), row)

    return {
        exam: [rows[view] for view in STANDARD_VIEWS]
        for exam, rows in images.items()
        if rows.keys() >= set(STANDARD_VIEWS)
    }


def leave_views_out(
    exams: Sequence[Exam], lateralities: Sequence[str], views: Sequence[str]
) -> dict[int, ViewChoices[Exam]]:
    """Return all choices of 1, 2 and 3 views, by number of views.

    The arguments have one value for each image; see `complete_exams`. An exam has 4 choices of one
    view, 6 of two and 4 of three.

    Of several choices of one exam no one is new evidence: draw intervals by patient. A choice may
    hold one breast alone, and then says nothing of the other.
    """
    complete = complete_exams(exams, lateralities, views)
    return {count: _choices(complete, count) for count in range(1, len(STANDARD_VIEWS))}


def _choices(complete: dict[Exam, list[int]], count: int) -> ViewChoices[Exam]:
    """Return all choices of this number of views, exam by exam."""
    chosen = [(exam, rows) for exam in complete for rows in combinations(complete[exam], count)]
    return ViewChoices(
        tuple(exam for exam, _ in chosen),
        np.array([rows for _, rows in chosen], np.intp).reshape(-1, count),
    )
