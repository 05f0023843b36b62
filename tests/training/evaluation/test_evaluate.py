import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.support.parts import first
from training.config import Experiment
from training.config_files import load_experiment
from training.data.cache import Part, open_part
from training.data.prepare import prepare
from training.data.split import split_records
from training.data.table import load_records
from training.evaluation.calibration import PlattScaling, calibrate
from training.evaluation.evaluate import choose, evaluate, headline
from training.fit.run import Run, read_json
from training.fit.train import train


@pytest.fixture(scope="module")
def experiment(
    write_experiment: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Experiment:
    path = write_experiment(
        tmp_path_factory.mktemp("evaluate") / "toy.toml", ("epochs = 4", "epochs = 12")
    )
    experiment = load_experiment(path)

    prepare(load_records(experiment), experiment, workers=2)
    return experiment


def parts(experiment: Experiment) -> list[Part]:
    split = split_records(load_records(experiment), experiment.split)
    return [open_part(part, experiment) for part in (split.train, split.validation, split.test)]


@pytest.fixture(scope="module")
def run(experiment: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A trained and evaluated run of the toy experiment."""
    run = Run(tmp_path_factory.mktemp("runs") / "toy")
    run.directory.mkdir()
    train_part, validation_part, test_part = parts(experiment)

    train(run, experiment, train_part, validation_part)
    evaluate(run, experiment, validation_part, test_part)

    return run


def test_network_learns_the_toy_data_set(run: Run) -> None:
    assert read_json(run.evaluation)["breasts"]["auc"]["value"] > 0.9


def test_counts_are_those_of_the_test_part(run: Run, experiment: Experiment) -> None:
    document = read_json(run.evaluation)
    test_part = parts(experiment)[2]

    at_threshold = document["images"]["at_threshold"]
    positive = int(test_part.labels.sum())
    assert document["test"] == {"patients": 10, "images": 20, "prevalence": positive / 20}
    assert at_threshold["true_positives"] + at_threshold["false_negatives"] == positive
    assert at_threshold["true_negatives"] + at_threshold["false_positives"] == 20 - positive
    assert document["localisation"]["images"] == at_threshold["true_positives"]


def test_operating_point_ignores_the_test_part(
    run: Run, experiment: Experiment, tmp_path: Path
) -> None:
    _, validation_part, test_part = parts(experiment)
    fewer = first(test_part, 8)
    again = Run(tmp_path / "again")
    shutil.copytree(run.directory, again.directory)

    evaluate(again, experiment, validation_part, fewer)

    assert read_json(again.operating_point) == read_json(run.operating_point)


def test_evaluation_is_reproducible(run: Run, experiment: Experiment, tmp_path: Path) -> None:
    again = Run(tmp_path / "again")
    shutil.copytree(run.directory, again.directory)
    _, validation_part, test_part = parts(experiment)

    document = evaluate(again, experiment, validation_part, test_part)

    assert document == read_json(run.evaluation)


@pytest.mark.parametrize("name", ["roc", "reliability", "confusion", "history"])
def test_plots_are_pictures(run: Run, name: str) -> None:
    picture = cv2.imread(str(run.directory / f"{name}.png"))

    assert picture is not None
    assert picture.shape == (600, 600, 3)


def test_localisation_is_omitted_without_masks(
    run: Run, experiment: Experiment, tmp_path: Path
) -> None:
    again = Run(tmp_path / "again")
    shutil.copytree(run.directory, again.directory)
    without_masks = experiment.model_copy(
        update={"data": experiment.data.model_copy(update={"lesion_masks": None})}
    )

    document = evaluate(again, without_masks, *parts(without_masks)[1:])

    assert "localisation" not in document
    assert "lesion_hit_rate" not in headline(document)


def test_operating_point_applies_to_calibrated_probabilities() -> None:
    rng = np.random.default_rng(0)
    labels = np.array([0] * 100 + [1] * 50, dtype=np.int32)
    margins = rng.normal(size=150) * 6 + labels * 8 - 4

    choice = choose(labels, margins)

    probabilities = calibrate(margins, PlattScaling(choice.temperature))
    positive = probabilities >= choice.threshold
    assert (positive & (labels == 0)).sum() <= 10
    assert positive[labels == 1].mean() == choice.sensitivity
    assert roc_auc_score(labels, probabilities) == pytest.approx(roc_auc_score(labels, margins))
