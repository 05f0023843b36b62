"""ROC curves of all levels and the calibration of images, as a bundle keeps them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from service.model import (
    CalibrationBin,
    Curves,
    ImageCalibration,
    LevelCurve,
    LevelCurves,
    MeasuredShare,
    RocCurve,
)
from training.errors import RunError
from training.evaluation.cases import Cases
from training.evaluation.discrimination import sensitivity_at_specificity
from training.evaluation.measure import Measured
from training.evaluation.resampling import intervals
from training.evaluation.statistics import Interval

RATES = tuple(step / 100 for step in range(101))
"""Rates of false positives at which sensitivities are measured."""

_DIGITS = 4


def measure_curves(measured: Measured, calibration: Mapping[str, Any]) -> Curves:
    """Return the curves of the measured cases.

    `calibration`: the figures and bins that `measure_calibration` returns.
    """
    return Curves(
        levels=LevelCurves(
            **{
                level.value: level_curve(cases, measured.figures[level].get("auc"))
                for level, cases in measured.cases.items()
            }
        ),
        calibration=ImageCalibration(
            error=_rounded(calibration["expected_calibration_error"]["value"]),
            bins=tuple(_bin(one) for one in calibration["reliability"]),
        ),
    )


def level_curve(cases: Cases, auc: Interval | None) -> LevelCurve | None:
    """Return the ROC curve of a level, or None without an AUC.

    Intervals are drawn by patient, with the draws of all other figures.
    """
    if auc is None:
        return None

    figures = {f"{rate}": sensitivity_at_specificity(1 - rate) for rate in RATES}
    points = intervals(figures, cases.labels, cases.probabilities, cases.patients).values()
    return LevelCurve(
        roc=RocCurve(
            false_positive_rate=RATES,
            sensitivity=tuple(_rounded(point.value) for point in points),
            low=tuple(_rounded(point.low) for point in points),
            high=tuple(_rounded(point.high) for point in points),
        ),
        auc=MeasuredShare(
            value=_rounded(auc.value), low=_rounded(auc.low), high=_rounded(auc.high)
        ),
        cases=len(cases),
        with_cancer=int(cases.labels.sum()),
    )


def read_curves(path: Path) -> Curves | None:
    """Read the curves of a run, or return None if it has none: an earlier version measured it.

    Raises:
        RunError: the file does not hold valid curves.
    """
    if not path.exists():
        return None

    try:
        return Curves.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RunError(
            f"{path} does not hold valid curves: run `python -m training evaluate` again."
        ) from error


def _bin(one: Mapping[str, Any]) -> CalibrationBin:
    shares = {name: _rounded(one[name]) for name in ("probability", "observed", "low", "high")}
    return CalibrationBin(**shares, count=one["count"])


def _rounded(value: float) -> float:
    """Return a share with four significant digits."""
    return float(f"{value:.{_DIGITS}g}")
