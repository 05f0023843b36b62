"""Curves of a bundle: what is refused, and files that come back as they were written."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from service.errors import BundleDamaged
from service.model import CURVES_FILE, CalibrationBin, Curves, LevelCurve, RocCurve
from service.model.quality_files import load_curves, save_curves
from tests.support.level_facts import SHARE, curves

ROC = {
    "false_positive_rate": (0.0, 0.1, 1.0),
    "sensitivity": (0.2, 0.8, 1.0),
    "low": (0.1, 0.7, 1.0),
    "high": (0.3, 0.9, 1.0),
}
BIN = {"probability": 0.1, "observed": 0.2, "low": 0.1, "high": 0.3, "count": 5}
MANY = tuple(step / 101 for step in range(102))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"low": (0.1, 1.0)}, "same length"),
        ({"false_positive_rate": (0.0, 0.5, 0.9)}, "from 0 to 1"),
        ({"false_positive_rate": (0.1, 0.5, 1.0)}, "from 0 to 1"),
        ({"false_positive_rate": (0.0, 0.0, 1.0)}, "from 0 to 1"),
        ({"sensitivity": (0.8, 0.2, 1.0)}, "must not decrease"),
        ({"high": (0.95, 0.9, 1.0)}, "must not decrease"),
        ({"low": (0.4, 0.7, 1.0)}, "low must not exceed high"),
        ({"sensitivity": (0.2, 0.8, 1.1)}, "less than or equal to 1"),
        ({"low": (-0.1, 0.7, 1.0)}, "greater than or equal to 0"),
        ({"sensitivity": (0.2, float("nan"), 1.0)}, "finite number"),
        (dict.fromkeys(ROC, MANY), "at most 101 items"),
        (dict.fromkeys(ROC, (0.0,)), "at least 2 items"),
        ({"unheard_of": 1}, "not permitted"),
    ],
)
def test_invalid_roc_curve_is_rejected(change: dict[str, Any], fault: str) -> None:
    RocCurve.model_validate(ROC)

    with pytest.raises(ValidationError, match=fault):
        RocCurve.model_validate(ROC | change)


@pytest.mark.parametrize("with_cancer", [0, 20, 21])
def test_curve_of_one_class_is_rejected(with_cancer: int) -> None:
    roc = RocCurve.model_validate(ROC)

    with pytest.raises(ValidationError, match="cases with cancer and cases without"):
        LevelCurve(roc=roc, auc=SHARE, cases=20, with_cancer=with_cancer)


@pytest.mark.parametrize(
    "change", [{"low": 0.25}, {"high": 0.15}, {"count": 0}, {"probability": 1.1}]
)
def test_invalid_bin_is_rejected(change: dict[str, Any]) -> None:
    CalibrationBin.model_validate(BIN)

    with pytest.raises(ValidationError):
        CalibrationBin.model_validate(BIN | change)


def test_bins_out_of_order_are_rejected() -> None:
    document = curves().model_dump()
    document["calibration"]["bins"] = document["calibration"]["bins"][::-1]

    with pytest.raises(ValidationError, match="bins must not decrease"):
        Curves.model_validate(document)


def test_written_curves_are_read_back(tmp_path: Path) -> None:
    (tmp_path / CURVES_FILE).parent.mkdir()

    save_curves(tmp_path, curves())

    assert load_curves(tmp_path) == curves()
    assert load_curves(tmp_path / "elsewhere") is None


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "as a whole: Invalid JSON"),
        (b"\xff\xfe", "as a whole: Invalid JSON"),
        (b"{}", "levels: Field required"),
        (curves().model_dump_json().replace("0.85", "1.85").encode(), "levels.image.roc.high.2: "),
    ],
)
def test_damaged_curves_are_told(content: bytes, fault: str, tmp_path: Path) -> None:
    path = tmp_path / CURVES_FILE
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(BundleDamaged) as error:
        load_curves(tmp_path)

    assert f"The file curves.json of bundle {tmp_path} is not valid: {fault}" in str(error.value)
    assert str(error.value).endswith("Export the bundle again.")
