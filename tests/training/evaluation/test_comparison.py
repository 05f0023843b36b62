from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from service.geometry import Affine
from service.model import Level
from service.records import Box, Fitted
from tests.support.level_facts import levels
from tests.support.parts import make_part
from tests.support.views import view_of
from training.data.cache import Part
from training.data.prepared import PreparedSplit
from training.data.table import Record
from training.evaluation.cases import gather, group
from training.evaluation.comparison import compare, floor_scores, group_figures
from training.evaluation.measure import Measured
from training.evaluation.predictions import Predictions
from training.evaluation.statistics import Values
from training.evaluation_config import Comparison

PATIENTS = 60
COMPARISON = Comparison(metadata=("Machine ID", "absent"), machine="Machine ID")


def cohort(prefix: str, *, machines: bool = True) -> list[Record]:
    """Women with two views of a breast. Nine of ten cancers are from machine A, one from B.

    Among the healthy it is the other way round, so the machine gives the label away.
    """
    records = []
    for patient in range(PATIENTS):
        cancer = patient % 3 == 0
        machine = "A" if cancer != (patient // 3 % 10 == 0) else "B"
        cells = {"machine_id": machine} if machines else {}
        records += [
            view_of(f"{prefix}{patient}", "L", view, cancer=cancer, **cells)
            for view in ("CC", "MLO")
        ]
    return records


def prepared(folder: Path, records: list[Record], seed: int) -> Part:
    """Return the records with images of noise, which know nothing of cancers."""
    rng = np.random.default_rng(seed)
    mask = np.ones((24, 20), bool)
    box = Box(0, 0, 20, 24)
    images = [
        Fitted(rng.random((24, 20, 1), np.float32), mask, Affine(), box, "left", mask, Affine())
        for _ in records
    ]
    folder.mkdir()
    return make_part(folder, records, images)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> PreparedSplit:
    """A training part, and a test part with other women."""
    root = tmp_path_factory.mktemp("comparison")
    train = prepared(root / "train", cohort("a"), 1)
    test = prepared(root / "test", cohort("b"), 2)
    return PreparedSplit(train, test, test)


def predictions_of(parts: PreparedSplit, probabilities: Values) -> Predictions:
    floors = floor_scores(parts, COMPARISON)
    return Predictions(parts.test.records, probabilities, probabilities, probabilities, floors)


def compared(predictions: Predictions) -> dict[str, Any]:
    """Compare at the levels that the comparison looks at."""
    cases = {
        level: gather(
            level,
            predictions.records,
            predictions.probabilities,
            group(level, predictions.records),
            0.5,
        )
        for level in Level
    }
    return compare(predictions, Measured(cases, {}, levels()), COMPARISON)


def machine_of(records: Sequence[Record]) -> NDArray[np.bool_]:
    """Return whether each image is from machine A."""
    return np.array([record.columns["machine_id"] == "A" for record in records])


def test_floor_finds_the_machine_that_gives_labels_away(parts: PreparedSplit) -> None:
    """Of all pairs 81 % have the cancer from A and the healthy case from B, and 18 % a tie."""
    predictions = predictions_of(parts, np.full(2 * PATIENTS, 0.3))

    document = compared(predictions)

    assert set(document["floor"]) == {"metadata", "brightness", "thumbnail", "all"}
    for name in ("images", "breasts"):
        floor = document["floor"]["metadata"][name]
        assert floor["auc"]["value"] == pytest.approx(0.81 + 0.18 / 2)
        # A network that says the same for all images is at 0.5.
        assert floor["network_minus_floor"]["value"] == pytest.approx(0.5 - 0.9)
        assert floor["network_minus_floor"]["high"] < 0
        assert document["within_machine"]["metadata"][name]["value"] == 0.5


def test_network_is_told_within_one_machine(parts: PreparedSplit) -> None:
    """The network adds what it sees to what it has learnt of the machine."""
    records = parts.test.records
    labels = parts.test.labels
    machine = machine_of(records)
    seen = np.random.default_rng(3).normal(labels, 1)
    probabilities = expit(seen + 4 * machine)

    document = compared(predictions_of(parts, probabilities))

    areas = [roc_auc_score(labels[rows], seen[rows]) for rows in (machine, ~machine)]
    pairs = [int(labels[rows].sum() * (1 - labels[rows]).sum()) for rows in (machine, ~machine)]
    within = document["within_machine"]["network"]["images"]
    assert within["value"] == pytest.approx(np.average(areas, weights=pairs))
    assert within["low"] < within["value"] < within["high"]
    whole = roc_auc_score(labels, probabilities)
    assert whole > within["value"] + 0.1


def test_images_without_a_machine_are_no_machine(parts: PreparedSplit) -> None:
    """The network is right about the women of a further table, which has no such column."""
    unknown = cohort("c", machines=False)
    right = np.array([0.9 if record.cancer else 0.1 for record in unknown])
    records = (*parts.test.records, *unknown)
    probabilities = np.append(np.full(len(parts.test.records), 0.2), right)

    document = compared(Predictions(records, probabilities, probabilities, probabilities))

    assert document["within_machine"]["network"]["breasts"]["value"] == 0.5


def test_table_without_machines_has_no_such_figure() -> None:
    records = tuple(cohort("d", machines=False))
    probabilities = np.linspace(0, 1, len(records))

    document = compared(Predictions(records, probabilities, probabilities, probabilities))

    assert document["within_machine"] is None


def test_subgroups_are_those_of_the_columns(parts: PreparedSplit) -> None:
    records = parts.test.records
    probabilities = np.random.default_rng(4).random(len(records))
    cases = gather(Level.IMAGE, records, probabilities, group(Level.IMAGE, records), 0.5)

    groups = group_figures(cases, ("Machine ID", "absent"))

    machine = machine_of(records)
    labels = parts.test.labels
    assert [(one.name, one.cases, one.with_cancer) for one in groups] == [
        ("A", machine.sum(), labels[machine].sum()),
        ("B", (~machine).sum(), labels[~machine].sum()),
    ]
    for one, rows in zip(groups, (machine, ~machine), strict=True):
        assert one.auc is not None
        assert one.auc.value == pytest.approx(roc_auc_score(labels[rows], probabilities[rows]))
        assert one.specificity is not None
        assert one.specificity.value == pytest.approx(
            (probabilities[rows & (labels == 0)] < 0.5).mean()
        )
