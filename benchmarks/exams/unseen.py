"""Decisions on unseen patients, as the service answers their exams.

Every patient with four standard views is posted whole, and with every choice of one to three views.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from tqdm import tqdm

from benchmarks.exams.exam_requests import post_exam, serving
from benchmarks.exams.exam_rules import Tally, check_patient
from service.host.cores import usable_cores
from service.model import Bundle
from training.data.table import Record, read_table
from training.evaluation.discrimination import DECIDED, threshold_figures
from training.evaluation.resampling import intervals
from training.evaluation.statistics import Interval
from training.table_config import ImageTable

_VIEWS = 4


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision of the service about a breast or an exam. `views`: that count for it."""

    patient: str
    views: int
    is_cancer: bool
    positive: bool


def measure_unseen(bundle: Path, folder: Path, patients: int | None) -> None:
    """Print sensitivity and specificity by level and number of views, and the rules' counts."""
    exams = list(_complete_exams(folder).items())[:patients]
    levels = Bundle.load(bundle).manifest.levels
    if levels is None:
        raise SystemExit(f"{bundle} has no thresholds of breasts and exams: export it again.")

    breasts: list[Decided] = []
    whole: list[Decided] = []
    fewer: list[Decided] = []
    tally = Tally()
    with serving(bundle) as (client, _):
        for number, (_, records) in enumerate(tqdm(exams, unit="patient", leave=False)):
            answer = _answer(client, records)
            breasts += _breasts(records, answer)
            whole.append(_exam(records, records, answer))
            fewer += _fewer(client, records, levels.exam.by_views.keys(), tally)

            others = exams[(number + 1) % len(exams)][1]
            check_patient(client, _files(records), _files(others), answer, tally)

    print(f"\n{len(exams)} patients with four views")
    print(f"{'cases':<22}{'number':>8}{'cancers':>9}{'sensitivity':>26}{'specificity':>26}")
    _print_shares("breasts, both views", breasts)
    for views in range(1, _VIEWS):
        some = [decided for decided in fewer if decided.views == views]
        _print_shares(f"exams, {views} of {_VIEWS} views", some)
    _print_shares(f"exams, all {_VIEWS} views", whole)
    tally.print()


def _fewer(
    client: httpx.Client, records: Sequence[Record], measured: Collection[int], tally: Tally
) -> list[Decided]:
    """Post every choice of one to three views of an exam, and check that gaps are told."""
    choices = [chosen for views in range(1, _VIEWS) for chosen in combinations(records, views)]
    with ThreadPoolExecutor(usable_cores()) as pool:
        answers = list(pool.map(partial(_answer, client), choices))

    decisions = []
    for chosen, answer in zip(choices, answers, strict=True):
        told = {f"{record.laterality}-{record.view}" for record in chosen}
        exam = answer["exam"]
        tally.count("missing views are told", _tells_gaps(records, told, exam))
        is_judged = exam["positive"] is not None
        tally.count("judged if a threshold was measured", is_judged == (len(chosen) in measured))
        if is_judged:
            decisions.append(_exam(records, chosen, answer))
    return decisions


def _tells_gaps(records: Sequence[Record], told: set[str], exam: Mapping[str, Any]) -> bool:
    """Return whether the answer names the views that are there, and those that are not."""
    everything = {f"{record.laterality}-{record.view}" for record in records}
    return (
        set(exam["views"]) == told
        and set(exam["missing_views"]) == everything - told
        and exam["complete"] is False
    )


def _exam(
    records: Sequence[Record], chosen: Sequence[Record], answer: Mapping[str, Any]
) -> Decided:
    """Return the decision about an exam, with the truth about the views at hand and the others.

    As in `partial_cases`, a cancer of a breast with a view counts, also if another view shows it.
    """
    breasts = {record.laterality for record in chosen}
    is_cancer = any(record.cancer for record in records if record.laterality in breasts)
    positive = answer["exam"]["positive"]
    return Decided(records[0].patient_id, len(chosen), is_cancer, positive)


def _breasts(records: Sequence[Record], answer: Mapping[str, Any]) -> list[Decided]:
    return [
        Decided(
            records[0].patient_id,
            len(breast["images"]),
            any(record.cancer for record in records if record.laterality == side),
            breast["positive"],
        )
        for side, breast in answer["breasts"].items()
        if breast is not None
    ]


def _answer(client: httpx.Client, records: Sequence[Record]) -> dict[str, Any]:
    answer: dict[str, Any] = post_exam(client, _files(records)).raise_for_status().json()
    return answer


def _files(records: Sequence[Record]) -> list[bytes]:
    return [record.image.read_bytes() for record in records]


def _complete_exams(folder: Path) -> dict[str, list[Record]]:
    """Return the four standard views of every patient that has exactly these."""
    images = str(folder / "train_images" / "{patient_id}" / "{image_id}.dcm")
    exams: dict[str, list[Record]] = {}
    for record in read_table(ImageTable(table=folder / "train.csv", images=images)):
        exams.setdefault(record.patient_id, []).append(record)

    standard = {(side, view) for side in "LR" for view in ("CC", "MLO")}
    return {
        patient: records
        for patient, records in exams.items()
        if len(records) == _VIEWS
        and {(record.laterality, record.view) for record in records} == standard
    }


def _print_shares(name: str, cases: Sequence[Decided]) -> None:
    """Print a row with both shares and their intervals by patient."""
    labels = np.array([case.is_cancer for case in cases], np.int32)
    decided = np.array([case.positive for case in cases], np.float64)
    patients = [case.patient for case in cases]

    figures = intervals(threshold_figures(DECIDED), labels, decided, patients) if cases else {}
    print(
        f"{name:<22}{len(cases):>8}{int(labels.sum()):>9}"
        f"{_interval(figures.get('sensitivity')):>26}{_interval(figures.get('specificity')):>26}"
    )


def _interval(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    return f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"
