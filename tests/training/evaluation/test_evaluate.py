import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from service.model import Level
from tests.support.parts import first
from training.config import Experiment
from training.config_files import load_experiment
from training.data.cache import Part
from training.data.prepare import prepare
from training.data.prepared import PreparedSplit
from training.data.table import load_records
from training.errors import RunError
from training.evaluation import measured_run
from training.evaluation.evaluate import evaluate, usual_prevalence
from training.evaluation.headline import headline
from training.evaluation.measured_run import NAMES
from training.evaluation.roc_curves import read_curves
from training.export.publish import describe_run
from training.fit.run import Run, read_json
from training.fit.start import open_data, start
from training.fit.train import train
from training.introspection.own_model import read_choice
from training.scorecard import open_parts


@pytest.fixture(scope="module")
def toml(write_experiment: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy experiment, with its images prepared."""
    path = write_experiment(
        tmp_path_factory.mktemp("evaluate") / "toy.toml", ("epochs = 4", "epochs = 12")
    )
    experiment = load_experiment(path)
    prepare(load_records(experiment), experiment, workers=2)
    return path


@pytest.fixture(scope="module")
def experiment(toml: Path) -> Experiment:
    return load_experiment(toml)


@pytest.fixture(scope="module")
def prepared(toml: Path, run: Run) -> PreparedSplit:
    """The images of the run."""
    return open_data(run, load_experiment(toml))


@pytest.fixture(scope="module")
def run(toml: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A trained and evaluated run of the toy experiment."""
    run = Run(tmp_path_factory.mktemp("runs") / "toy")
    parts = start(run, toml)
    experiment = load_experiment(toml)

    train(run, experiment, parts.train, parts.validation)
    evaluate(run, experiment, parts)

    return run


@pytest.fixture
def again(run: Run, tmp_path: Path) -> Run:
    """A copy of the run."""
    shutil.copytree(run.directory, tmp_path / "again")
    return Run(tmp_path / "again")


def test_network_learns_the_toy_data_set(run: Run) -> None:
    assert read_json(run.evaluation)["breasts"]["auc"]["value"] > 0.9


def test_counts_are_those_of_the_test_part(run: Run, prepared: PreparedSplit) -> None:
    document = read_json(run.evaluation)

    at_threshold = document["images"]["at_threshold"]
    positive = int(prepared.test.labels.sum())
    assert document["test"] == {"patients": 10, "images": 20, "prevalence": positive / 20}
    assert at_threshold["true_positives"] + at_threshold["false_negatives"] == positive
    assert at_threshold["true_negatives"] + at_threshold["false_positives"] == 20 - positive
    assert document["localisation"]["images"] == at_threshold["true_positives"]
    assert (document["breasts"]["count"], document["exams"]["count"]) == (20, 10)


def test_thresholds_ignore_the_test_part(
    run: Run, again: Run, experiment: Experiment, prepared: PreparedSplit
) -> None:
    evaluate(again, experiment, replace(prepared, test=first(prepared.test, 8)))

    before, after = (read_choice(one.operating_point) for one in (run, again))
    assert after.temperature == before.temperature
    for level, facts in before.levels.by_level().items():
        assert after.levels.by_level()[level].threshold == facts.threshold
        assert after.levels.by_level()[level].quantiles == facts.quantiles


def test_evaluation_is_reproducible(
    run: Run, again: Run, experiment: Experiment, prepared: PreparedSplit
) -> None:
    document = evaluate(again, experiment, prepared)

    assert document == read_json(run.evaluation)
    for level in Level:
        assert again.predictions(level).read_bytes() == run.predictions(level).read_bytes()


def test_auc_follows_from_the_kept_predictions(run: Run) -> None:
    for level, name in NAMES.items():
        with run.predictions(level).open(newline="") as file:
            rows = list(csv.DictReader(file))

        area = roc_auc_score(
            [int(row["cancer"]) for row in rows], [float(row["probability"]) for row in rows]
        )
        assert read_json(run.evaluation)[name]["auc"]["value"] == pytest.approx(area)


def test_curves_agree_with_the_figures(run: Run) -> None:
    document = read_json(run.evaluation)

    curves = read_curves(run.curves)

    assert curves is not None
    for level, curve in curves.levels.by_level().items():
        figures = document[NAMES[level]]
        assert curve is not None
        assert (curve.cases, curve.with_cancer) == (figures["count"], figures["with_cancer"])
        assert curve.auc.model_dump() == pytest.approx(figures["auc"], rel=1e-3)
        at_ten = figures["sensitivity_at_90_specificity"]
        assert curve.roc.sensitivity[10] == pytest.approx(at_ten["value"], rel=1e-3)
        assert curve.roc.low[10] == pytest.approx(at_ten["low"], rel=1e-3)
    bins = document["calibration"]["reliability"]
    assert [one.count for one in curves.calibration.bins] == [one["count"] for one in bins]
    assert sum(one["count"] for one in bins) == 20


@pytest.mark.parametrize("name", ["roc", "precision-recall", "reliability", "confusion", "history"])
def test_plots_are_pictures(run: Run, name: str) -> None:
    picture = cv2.imread(str(run.directory / f"{name}.png"))

    assert picture is not None
    assert picture.shape == (600, 600, 3)


def test_localisation_is_omitted_without_masks(
    again: Run, experiment: Experiment, prepared: PreparedSplit
) -> None:
    test = prepared.test
    without = tuple(replace(record, lesion_mask=None) for record in test.records)

    document = evaluate(again, experiment, replace(prepared, test=replace(test, records=without)))

    assert "localisation" not in document
    assert "lesion_hit_rate" not in headline(document)


def test_floor_knows_what_the_table_has(run: Run) -> None:
    """The toy table has no machine and no age. Its cancers are all on the left."""
    document = read_json(run.evaluation)

    assert set(document["floor"]) == {"metadata", "brightness", "thumbnail", "all"}
    assert document["within_machine"] is None
    assert [group["column"] for group in document["subgroups"]] == ["view"]


def with_columns(part: Part) -> Part:
    """Return the part with a machine and a density. The right breasts are from machine B."""
    records = tuple(
        replace(
            record,
            columns={
                **record.columns,
                "machine_id": "AB"[record.laterality == "R"],
                "density": "1",
            },
        )
        for record in part.records
    )
    return replace(part, records=records)


def test_columns_of_the_table_are_compared(
    again: Run, experiment: Experiment, prepared: PreparedSplit
) -> None:
    """All cancers are on the left, so the machine gives them away. The groups have ten images."""
    parts = PreparedSplit(*map(with_columns, (prepared.train, prepared.validation, prepared.test)))

    document = evaluate(again, experiment, parts)

    groups = {(one["column"], one["name"]): one["cases"] for one in document["subgroups"]}
    assert groups == {
        ("machine_id", "A"): 10,
        ("machine_id", "B"): 10,
        ("view", "CC"): 20,
        ("density", "1"): 20,
    }
    floor = document["floor"]["metadata"]["images"]["auc"]["value"]
    assert floor == pytest.approx(0.5 + 0.5 * 10 / 15)
    assert document["within_machine"]["metadata"]["images"]["value"] == 0.5
    rows = list(csv.DictReader(again.predictions(Level.IMAGE).read_text().splitlines()))
    left = [row for row in rows if row["laterality"] == "L"]
    within = document["within_machine"]["network"]["images"]
    assert within["value"] == pytest.approx(
        roc_auc_score(
            [int(row["cancer"]) for row in left], [float(row["probability"]) for row in left]
        )
    )
    assert headline(document)["breast_auc_within_machine"] == within["value"]


def test_deployment_prevalence_moves_all_odds_alike(
    run: Run, again: Run, experiment: Experiment, prepared: PreparedSplit
) -> None:
    card = experiment.bundle.model_copy(update={"deployment_prevalence": 0.02})

    evaluate(again, experiment.model_copy(update={"bundle": card}), prepared)

    before, after = (
        [float(row["probability"]) for row in csv.DictReader(path.read_text().splitlines())]
        for path in (run.predictions(Level.IMAGE), again.predictions(Level.IMAGE))
    )
    choices = [read_choice(one.operating_point) for one in (run, again)]
    assert choices[0].deployment_prevalence == 0.25
    assert choices[1].deployment_prevalence == 0.02
    odds = np.divide(after, np.subtract(1, after)) / np.divide(before, np.subtract(1, before))
    assert odds == pytest.approx(np.full(20, (0.02 / 0.98) / (0.25 / 0.75)), rel=1e-3)
    assert (
        read_json(again.evaluation)["images"]["auc"] == read_json(run.evaluation)["images"]["auc"]
    )


def test_images_for_training_alone_are_no_population(prepared: PreparedSplit) -> None:
    """A further table of cancers, and a training part of nothing else."""
    train = prepared.train
    cancers = tuple(replace(record, cancer=True, train_only=True) for record in train.records)
    more = replace(train, records=train.records + cancers)
    alone = replace(train, records=cancers)

    assert usual_prevalence(prepared) == 0.25
    assert usual_prevalence(replace(prepared, train=more)) == 0.25
    assert usual_prevalence(replace(prepared, train=alone)) == (prepared.validation.labels.mean())


def test_interrupted_evaluation_leaves_no_figures(
    again: Run, experiment: Experiment, prepared: PreparedSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(measured_run, "draw_figures", interrupt)
    with pytest.raises(KeyboardInterrupt):
        evaluate(again, experiment, prepared)

    with pytest.raises(RunError, match=r"evaluation.json does not exist: run .*training evaluate"):
        describe_run(again)


def test_operating_point_of_an_earlier_version_is_told(again: Run) -> None:
    again.operating_point.write_text('{"temperature": 1.2, "threshold": 0.4}')

    with pytest.raises(RunError, match=r"operating_point.json was written by another version: run"):
        describe_run(again)


def test_scorecard_sees_no_image_of_the_test_part(
    run: Run, experiment: Experiment, prepared: PreparedSplit
) -> None:
    """A network that was changed until it passed would have been selected on that part."""
    _, manifest = describe_run(run)

    parts = open_parts(experiment, manifest)

    assert parts.train.records == prepared.train.records
    assert parts.validation.records == prepared.validation.records
    seen = {record.patient_id for record in parts.train.records + parts.validation.records}
    assert not seen & {record.patient_id for record in prepared.test.records}
