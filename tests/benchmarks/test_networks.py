"""Comparison of cross-validations whose predictions are made up."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from benchmarks.networks.network_comparison import (
    Intervals,
    Key,
    NetworkComparison,
    compare_networks,
)
from benchmarks.networks.network_figures import Pairs
from benchmarks.networks.validated_runs import (
    ValidatedRun,
    epoch_seconds,
    read_validated_run,
    require_same_images,
)
from service.model import Level
from tests.support.paths import ROOT
from training.config_files import load_experiment
from training.data.table import Record, load_records
from training.errors import RunError
from training.evaluation.cases import gather, group
from training.evaluation.predictions import Predictions, write_predictions
from training.evaluation.statistics import Interval, Values, auc, bootstrap
from training.fit.run import Run, write_json

PATIENTS = 60
FOLDS = ("0", "1", "2")
HEADLINE = (Level.BREAST, Pairs.FOLD)


@pytest.fixture(scope="module")
def toml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment on two views of each breast. Every third patient has a cancer on the left."""
    root = tmp_path_factory.mktemp("table")
    lines = ["patient_id,image_id,laterality,view,cancer,fold,machine_id"]
    for patient in range(PATIENTS):
        for side in ("L", "R"):
            cancer = int(side == "L" and patient % 3 == 0)
            for view in ("CC", "MLO"):
                cells = f"{side}{view},{side},{view},{cancer},{patient % 4 % 3},{patient % 2}"
                lines.append(f"p{patient:02},{cells}")
    (root / "train.csv").write_text("\n".join(lines) + "\n")

    demo = (ROOT / "training/experiments/demo.toml").read_text()
    head, _, rest = demo.partition("[split]")
    split = '[split]\nby = "cross-validation"\nfolds = ["0", "1", "2"]\n[fit]'
    text = head.replace("data/phantoms/train.csv", str(root / "train.csv"))
    path = root / "toy.toml"
    path.write_text(text + split + rest.partition("[fit]")[2])
    return path


def write_run(directory: Path, toml: Path, seed: int, effect: float, images: int = 0) -> Path:
    """Write a cross-validation whose probabilities know the label. `images`: how many are lost.

    Each fold's probabilities have another offset, as those of another network.
    """
    run = Run(directory)
    directory.mkdir()
    run.experiment_file.write_text(toml.read_text().replace("seed = 5", f"seed = {seed}"))
    records = load_records(load_experiment(run.experiment_file))
    records = records[: len(records) - images]

    rng = np.random.default_rng(seed)
    labels = np.array([record.cancer for record in records])
    offsets = np.array([0.05 * int(record.fold) for record in records])
    scores = rng.uniform(0, 0.3, len(records)) + effect * labels + offsets
    floor = (
        np.array([0.1 * int(record.columns["machine_id"]) for record in records]) + 0.01 * labels
    )

    # The pooled rows come fold by fold.
    order = np.argsort([int(record.fold) for record in records], kind="stable")
    _write(run, [records[index] for index in order], scores[order], floor[order])
    for fold in FOLDS:
        rows = [index for index in order if records[index].fold == fold]
        run.round(fold).directory.mkdir()
        _write(run.round(fold), [records[index] for index in rows], scores[rows], floor[rows])
        write_json(run.round(fold).history, [{"train_loss": 0.5}] * (seed + 2))
    write_json(run.provenance, {"rounds": {fold: {} for fold in FOLDS}})
    write_json(run.evaluation, {})
    return directory


def _write(run: Run, records: list[Record], scores: Values, floor: Values) -> None:
    predictions = Predictions(tuple(records), scores, scores, scores, {"metadata": floor})
    cases = gather(Level.IMAGE, records, scores, group(Level.IMAGE, records), 0.3)
    write_predictions(run.predictions(Level.IMAGE), predictions, cases)


@pytest.fixture(scope="module")
def runs(toml: Path, tmp_path_factory: pytest.TempPathFactory) -> list[ValidatedRun]:
    """Two seeds of a good network, and one of a bad one."""
    root = tmp_path_factory.mktemp("runs")
    return [
        read_validated_run("good", write_run(root / "good-1", toml, 1, 0.2)),
        read_validated_run("good", write_run(root / "good-2", toml, 2, 0.2)),
        read_validated_run("bad", write_run(root / "bad-1", toml, 3, 0.02)),
    ]


@pytest.fixture(scope="module")
def comparison(runs: list[ValidatedRun]) -> NetworkComparison:
    return compare_networks(runs, ["bad"])


def breasts(run: ValidatedRun, scores: Values) -> dict[str, list[tuple[int, float, str]]]:
    """Return label, mean score and machine of every breast, by fold."""
    views: dict[tuple[str, str, str, str, bool], list[float]] = {}
    for record, score in zip(run.predictions.records, scores, strict=True):
        machine = record.columns["machine_id"]
        key = (record.patient_id, record.laterality, record.fold, machine, record.cancer)
        views.setdefault(key, []).append(float(score))

    cases: dict[str, list[tuple[int, float, str]]] = {fold: [] for fold in FOLDS}
    for (_, _, fold, machine, cancer), own in views.items():
        cases[fold].append((int(cancer), float(np.mean(own)), machine))
    return cases


def within_folds(run: ValidatedRun, scores: Values, machine: str | None = None) -> float:
    """Return the AUC of each fold by scikit-learn, weighted by its number of pairs."""
    areas, pairs = [], []
    for cases in breasts(run, scores).values():
        some = [case for case in cases if machine in (None, case[2])]
        labels = [label for label, _, _ in some]
        areas.append(roc_auc_score(labels, [score for _, score, _ in some]))
        pairs.append(sum(labels) * (len(labels) - sum(labels)))
    return float(np.average(areas, weights=pairs))


def breasts_by_patient(run: ValidatedRun) -> list[tuple[int, float, str]]:
    views: dict[tuple[str, str, bool], list[float]] = {}
    predictions = run.predictions
    for record, score in zip(predictions.records, predictions.probabilities, strict=True):
        key = (record.patient_id, record.laterality, record.cancer)
        views.setdefault(key, []).append(float(score))

    return [
        (int(cancer), float(np.mean(own)), patient) for (patient, _, cancer), own in views.items()
    ]


def value(figures: Intervals, key: Key = HEADLINE) -> float:
    interval = figures[key]
    assert interval is not None
    return interval.value


def test_headline_is_mean_of_seeds_within_folds(
    comparison: NetworkComparison, runs: list[ValidatedRun]
) -> None:
    row = comparison.scores[0]

    expected = [within_folds(run, run.predictions.probabilities) for run in runs[:2]]
    assert value(row.auc) == pytest.approx(np.mean(expected))
    assert expected[0] != pytest.approx(expected[1])


def test_auc_of_mean_score_averages_seeds_first(
    comparison: NetworkComparison, runs: list[ValidatedRun]
) -> None:
    row = comparison.scores[0]

    mean = (runs[0].predictions.probabilities + runs[1].predictions.probabilities) / 2
    assert value(row.of_mean) == pytest.approx(within_folds(runs[0], mean))
    assert value(row.of_mean) > value(row.auc)


def test_pooled_auc_counts_pairs_across_folds(
    comparison: NetworkComparison, runs: list[ValidatedRun]
) -> None:
    row = comparison.runs[-1]

    folds = breasts(runs[2], runs[2].predictions.probabilities).values()
    cases = [case for fold in folds for case in fold]
    pooled = roc_auc_score([case[0] for case in cases], [case[1] for case in cases])
    assert row.fold is None
    assert value(row.auc, (Level.BREAST, Pairs.POOLED)) == pytest.approx(pooled)
    assert value(row.auc) != pytest.approx(pooled)


def test_fold_has_the_auc_of_its_own_cases(
    comparison: NetworkComparison, runs: list[ValidatedRun]
) -> None:
    rows = [row for row in comparison.runs if row.network == "bad" and row.fold is not None]

    folds = breasts(runs[2], runs[2].predictions.probabilities)
    for row in rows:
        labels, scores, _ = zip(*folds[str(row.fold)], strict=True)
        assert value(row.auc) == pytest.approx(roc_auc_score(labels, scores))
    assert [(row.fold, row.seed, row.epochs) for row in rows] == [(fold, 3, 5) for fold in FOLDS]


def test_floor_of_the_machine_is_perfect_within_it(comparison: NetworkComparison) -> None:
    """The made-up floor knows the machine, and within it the label."""
    floor = comparison.scores[-1]

    assert floor.name == "floor: metadata"
    assert value(floor.auc, (Level.BREAST, Pairs.MACHINE)) == 1
    assert value(floor.auc) < 0.9


def test_every_network_is_beside_minus_and_floors(comparison: NetworkComparison) -> None:
    rows = {(row.network, row.minus): row.auc for row in comparison.differences}

    assert list(rows) == [("good", "bad"), ("good", "floor: metadata"), ("bad", "floor: metadata")]
    good, bad, _ = (row.auc for row in comparison.scores)
    assert value(rows["good", "bad"]) == pytest.approx(value(good) - value(bad))


def test_same_network_differs_from_itself_by_nothing(runs: list[ValidatedRun]) -> None:
    """Both are measured in the same draws: the interval of the difference has no width."""
    twin = replace(runs[0], network="twin")

    row = compare_networks([runs[0], twin], ["twin"]).differences[0]

    assert (row.network, row.minus) == ("good", "twin")
    assert row.auc[HEADLINE] == Interval(0, 0, 0)


def test_interval_is_that_of_drawn_patients(runs: list[ValidatedRun]) -> None:
    """An AUC of one seed over all pairs has the interval that `evaluate` tells."""
    labels, scores, patients = zip(*breasts_by_patient(runs[2]), strict=True)

    row = compare_networks(runs[2:], []).scores[0]

    expected = bootstrap(auc, np.array(labels, np.int32), np.array(scores), list(patients))
    assert row.auc[Level.BREAST, Pairs.POOLED] == expected


def test_runs_of_other_images_are_refused(
    toml: Path, runs: list[ValidatedRun], tmp_path: Path
) -> None:
    other = read_validated_run("other", write_run(tmp_path / "other", toml, 1, 0.2, images=3))

    with pytest.raises(RunError, match=r"other and .*good-1 cannot be compared: 3 images"):
        require_same_images([runs[0], other])


def test_single_training_is_refused(toml: Path, tmp_path: Path) -> None:
    directory = write_run(tmp_path / "single", toml, 1, 0.2)
    write_json(directory / "provenance.json", {"data": {}})

    with pytest.raises(RunError, match="is a single training"):
        read_validated_run("single", directory)


def test_unknown_name_is_refused(runs: list[ValidatedRun]) -> None:
    with pytest.raises(RunError, match="No network is named 'cnn'"):
        compare_networks(runs, ["cnn"])


def test_command_prints_and_writes_the_tables(runs: list[ValidatedRun], tmp_path: Path) -> None:
    names = ("--name", "A", str(runs[0].directory), str(runs[1].directory))
    others = ("--name", "B", str(runs[2].directory), "--minus", "B")

    outcome = subprocess.run(
        [sys.executable, "-m", "benchmarks.networks", *names, *others, "--out", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )

    assert "60 patients; 240 images, 40 with cancer; 120 breasts, 20 with cancer." in outcome.stdout
    assert (tmp_path / "networks.md").read_text() == outcome.stdout
    written = json.loads((tmp_path / "networks.json").read_text())
    assert [row["minus"] for row in written["differences"]] == ["B", *2 * ["floor: metadata"]]
    assert (tmp_path / "networks.png").read_bytes().startswith(b"\x89PNG")
    assert "p00" not in outcome.stdout + (tmp_path / "networks.json").read_text()


def write_events(path: Path, seconds: list[tuple[int, float]]) -> None:
    with path.open("wb") as file:
        writer = RecordWriter(file)
        for epoch, value_of_epoch in seconds:
            scalar = Summary.Value(tag="seconds", simple_value=value_of_epoch)
            loss = Summary.Value(tag="train_loss", simple_value=0.5)
            event = Event(step=epoch, summary=Summary(value=[loss, scalar]))
            writer.write(event.SerializeToString())


def test_seconds_of_repeated_epoch_count_once(tmp_path: Path) -> None:
    """The first process was killed in the middle of a record, and the second epoch ran again."""
    write_events(tmp_path / "events.out.tfevents.1", [(1, 2.0), (2, 3.0), (3, 9.0)])
    first = tmp_path / "events.out.tfevents.1"
    first.write_bytes(first.read_bytes()[:-5])
    write_events(tmp_path / "events.out.tfevents.2", [(2, 4.0), (3, 1.5)])

    assert epoch_seconds(tmp_path) == 2.0 + 4.0 + 1.5


def test_run_without_log_has_no_seconds(tmp_path: Path) -> None:
    assert epoch_seconds(tmp_path / "logs") is None
