import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.model import Level
from tests.support.views import complete_exam
from training.errors import RunError
from training.evaluation.cases import gather, group
from training.evaluation.predictions import (
    Predictions,
    join,
    read_predictions,
    write_cases,
    write_predictions,
)

RECORDS = (*complete_exam("p1", cancers="R", exam="2024"), *complete_exam("p2"))


@pytest.fixture
def predictions() -> Predictions:
    """Numbers that have no short decimal form."""
    rng = np.random.default_rng(0)
    margins, probabilities, at_data, floor = (rng.random(8) ** 9 for _ in range(4))
    return Predictions(RECORDS, margins, probabilities, at_data, {"metadata": floor})


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_predictions_are_read_back_to_the_bit(predictions: Predictions, tmp_path: Path) -> None:
    path = tmp_path / "predictions-image.csv"
    cases = gather(Level.IMAGE, RECORDS, predictions.probabilities, group(Level.IMAGE, RECORDS))
    write_predictions(path, predictions, cases)

    # The table has another order of rows.
    again = read_predictions(path, RECORDS[::-1])

    assert again.records == RECORDS
    for name in ("margins", "probabilities", "at_data"):
        assert getattr(again, name).tolist() == getattr(predictions, name).tolist()
    assert {name: scores.tolist() for name, scores in again.floors.items()} == {
        "metadata": predictions.floors["metadata"].tolist()
    }


def test_file_has_the_decision_about_each_image(predictions: Predictions, tmp_path: Path) -> None:
    path = tmp_path / "predictions-image.csv"
    groups = group(Level.IMAGE, RECORDS)
    threshold = float(np.median(predictions.probabilities))
    cases = gather(Level.IMAGE, RECORDS, predictions.probabilities, groups, threshold)

    write_predictions(path, predictions, cases)

    rows = rows_of(path)
    assert [row["positive"] for row in rows] == [
        str(int(value >= threshold)) for value in predictions.probabilities
    ]
    assert [row["cancer"] for row in rows] == list("00110000")
    assert (rows[2]["patient_id"], rows[2]["exam_id"], rows[2]["laterality"]) == ("p1", "2024", "R")


def test_file_of_breasts_has_a_row_each(predictions: Predictions, tmp_path: Path) -> None:
    path = tmp_path / "predictions-breast.csv"
    groups = group(Level.BREAST, RECORDS)

    write_cases(path, gather(Level.BREAST, RECORDS, predictions.probabilities, groups))

    rows = rows_of(path)
    assert [(row["patient_id"], row["laterality"], row["cancer"]) for row in rows] == [
        ("p1", "L", "0"),
        ("p1", "R", "1"),
        ("p2", "L", "0"),
        ("p2", "R", "0"),
    ]
    means = predictions.probabilities.reshape(4, 2).mean(axis=1)
    assert [float(row["probability"]) for row in rows] == pytest.approx(means)
    assert {row["views"] for row in rows} == {"2"}


def test_image_that_left_the_table_is_named(predictions: Predictions, tmp_path: Path) -> None:
    path = tmp_path / "predictions-image.csv"
    cases = gather(Level.IMAGE, RECORDS, predictions.probabilities, group(Level.IMAGE, RECORDS))
    write_predictions(path, predictions, cases)

    with pytest.raises(RunError, match=r"has the image p2/L_CC, which the table no longer has"):
        read_predictions(path, RECORDS[:4])


def test_parts_are_joined_in_order(predictions: Predictions) -> None:
    """A floor that one of the parts lacks is left out."""
    further = replace(predictions, floors={**predictions.floors, "brightness": np.zeros(8)})

    joined = join([further, predictions])

    assert len(joined) == 16
    assert joined.records == RECORDS + RECORDS
    assert joined.margins.tolist() == 2 * predictions.margins.tolist()
    assert list(joined.floors) == ["metadata"]
    assert joined.floors["metadata"].tolist() == 2 * predictions.floors["metadata"].tolist()
