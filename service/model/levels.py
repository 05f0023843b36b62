"""Levels of a decision: the image, the breast and the exam, and how probabilities are combined."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import get_args

from service.records import Laterality


class Level(StrEnum):
    """What a probability and a decision are about."""

    IMAGE = "image"
    BREAST = "breast"
    EXAM = "exam"


@dataclass(frozen=True, slots=True)
class ExamProbabilities:
    """Probabilities of an exam: of each breast that has a view, and of the exam as a whole."""

    breasts: dict[Laterality, float]
    exam: float


def combine(views: Iterable[tuple[Laterality, float]]) -> ExamProbabilities:
    """Combine the calibrated probabilities of an exam's views.

    The probability of a breast is the mean of its views, and that of the exam is the higher one of
    its breasts. The order of the views does not matter, to the bit.

    Raises:
        ValueError: there is no view, a side is neither L nor R, or a probability is outside [0, 1].
    """
    by_side: dict[Laterality, list[float]] = {side: [] for side in get_args(Laterality)}
    for side, probability in views:
        if side not in by_side:
            raise ValueError(f"a view's side must be L or R; got {side!r}")
        if not 0 <= probability <= 1:
            raise ValueError(f"probabilities must lie in [0, 1]; got {probability}")
        by_side[side].append(float(probability))

    # The sum in fmean is exact before it is rounded, so no order of the views changes it.
    breasts = {
        side: fmean(probabilities) for side, probabilities in by_side.items() if probabilities
    }
    if not breasts:
        raise ValueError("an exam needs at least one view")
    return ExamProbabilities(breasts, max(breasts.values()))
