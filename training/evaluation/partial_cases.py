"""Breasts and exams of which some views are left out, with what is known of the whole."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from service.model import Level
from service.pipeline.counted_images import BREAST_VIEWS, STANDARD_VIEWS
from training.data.table import Record
from training.evaluation.cases import Indices
from training.evaluation.fewer_views import complete_exams, leave_views_out
from training.evaluation.statistics import Labels


def partial_cases(
    level: Level, records: Sequence[Record]
) -> dict[int, tuple[list[Indices], Labels]]:
    """Return the cases of a level by number of views: positions of their views, and labels.

    They are made of complete exams, which have two standard views of both breasts, or of breasts
    with both standard views. A label tells whether one of the case's breasts has a cancer, also if
    the view that shows it is left out. Empty for single images.
    """
    groups: dict[int, list[Indices]] = {}
    if level is Level.EXAM:
        groups = _exams(records)
    elif level is Level.BREAST:
        groups = _breasts(records)

    with_cancer = {record.breast for record in records if record.cancer}
    return {
        views: (
            members,
            np.array(
                [any(records[index].breast in with_cancer for index in case) for case in members],
                np.int32,
            ),
        )
        for views, members in groups.items()
        if members
    }


def _exams(records: Sequence[Record]) -> dict[int, list[Indices]]:
    """Return all choices of one to three views of complete exams, and the complete exams."""
    columns = (
        [record.exam for record in records],
        [record.laterality for record in records],
        [record.view for record in records],
    )
    groups = {views: list(some.rows) for views, some in leave_views_out(*columns).items()}
    complete = complete_exams(*columns)

    groups[len(STANDARD_VIEWS)] = [np.array(sorted(rows)) for rows in complete.values()]
    return groups


def _breasts(records: Sequence[Record]) -> dict[int, list[Indices]]:
    """Return each standard view of complete breasts, and the complete breasts."""
    rows: dict[tuple[str, str, str], dict[str, int]] = {}
    for index, record in enumerate(records):
        if record.view in BREAST_VIEWS:
            rows.setdefault(record.breast, {}).setdefault(record.view, index)

    complete = [
        [views[view] for view in BREAST_VIEWS]
        for views in rows.values()
        if len(views) == len(BREAST_VIEWS)
    ]
    return {
        count: [np.array(case) for views in complete for case in combinations(views, count)]
        for count in (1, 2)
    }
