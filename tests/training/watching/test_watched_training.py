import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from service.model import Manifest
from service.records import Method
from tests.support.paths import ROOT
from training.config import Experiment
from training.config_files import load_experiment
from training.data.cache import Part, open_parts_of
from training.data.prepare import prepare
from training.data.split import split_records
from training.data.table import load_records
from training.fit.observing import EpochState
from training.fit.run import Run
from training.introspection.live_model import LiveModel
from training.networks.build import build_untrained
from training.watching import example_heat
from training.watching.epoch_pictures import weight_norm
from training.watching.epoch_sheet import full_value
from training.watching.example_heat import HeatOfExamples, describe, summarise
from training.watching.run_observers import watch
from training.watching.sheet import GAP, LESION
from training.watching.watched_examples import Example, choose_examples

EPOCHS = 2


@pytest.fixture(scope="module")
def toml(write_experiment: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy experiment, with its images prepared."""
    path = write_experiment(
        tmp_path_factory.mktemp("watched") / "toy.toml", ("epochs = 4", f"epochs = {EPOCHS}")
    )
    experiment = load_experiment(path)
    prepare(load_records(experiment), experiment, workers=2)
    return path


@pytest.fixture(scope="module")
def experiment(toml: Path) -> Experiment:
    return load_experiment(toml)


@pytest.fixture(scope="module")
def parts(experiment: Experiment) -> tuple[Part, Part]:
    """Training and validation images."""
    split = split_records(load_records(experiment), experiment.split)
    train, validation = open_parts_of((split.train, split.validation), experiment)
    return train, validation


@pytest.fixture(scope="module")
def examples(parts: tuple[Part, Part]) -> list[Example]:
    return choose_examples(parts[1], 4)


@pytest.fixture(scope="module")
def network(experiment: Experiment) -> keras.Model:
    """A network whose margin is the brightest cell of its last maps."""
    keras.utils.set_random_seed(1)
    network = build_untrained(experiment)
    logits = network.get_layer("logits")
    kernel = np.zeros(logits.kernel.shape, np.float32)
    kernel[:, 1] = 1
    logits.set_weights([kernel, np.zeros(2, np.float32)])
    return network


def train(toml: Path, run: Run, *options: str) -> None:
    arguments = ["train", str(toml), "--run", str(run.directory), *options]
    subprocess.run(
        [sys.executable, "-m", "training", *arguments], cwd=ROOT, check=True, capture_output=True
    )


def tags(run: Run) -> dict[str, list[int]]:
    """Return the epochs of each tag."""
    events = EventAccumulator(str(run.logs), size_guidance={"tensors": 0})
    events.Reload()
    return {tag: [event.step for event in events.Tensors(tag)] for tag in events.Tags()["tensors"]}


@pytest.fixture(scope="module")
def watched(toml: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A training with pictures."""
    run = Run(tmp_path_factory.mktemp("runs") / "watched")
    train(toml, run)
    return run


@pytest.mark.interop
def test_pictures_change_no_figure(watched: Run, toml: Path, tmp_path: Path) -> None:
    unwatched = Run(tmp_path / "unwatched")

    train(toml, unwatched, "--no-pictures")

    assert watched.history.read_bytes() == unwatched.history.read_bytes()
    assert not unwatched.epochs.exists()
    assert set(tags(unwatched)) >= {"train_loss", "learning_rate", "seconds", "weight_norm"}
    assert "examples" not in tags(unwatched)


def test_pictures_of_epochs_are_written(watched: Run) -> None:
    written = tags(watched)

    assert {path.name for path in watched.epochs.iterdir()} == {
        *("batch.png", "variations.png", "examples.csv", "epoch-001.png", "epoch-002.png")
    }
    assert written["examples"] == written["train_loss"] == [1, 2]
    assert written["examples/with_heat"] == written["weight_norm"] == [1, 2]
    assert written["augmented/variations"] == [0]


def test_second_process_draws_no_augmented_images_again(
    experiment: Experiment, parts: tuple[Part, Part], tmp_path: Path
) -> None:
    run = Run(tmp_path)

    for _ in range(2):
        watch(run, experiment, *parts, pictures=True)

    assert tags(run) == {"augmented/variations": [0], "augmented/batch": [0]}


def test_observers_leave_random_state_and_weights(
    experiment: Experiment, parts: tuple[Part, Part], network: keras.Model, tmp_path: Path
) -> None:
    before = network.get_weights()
    np.random.seed(7)  # noqa: NPY002 - the state that must not be touched
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002

    for observe in watch(Run(tmp_path), experiment, *parts, pictures=True):
        observe(EpochState(1, network, {"validation_loss": 0.5}))

    assert np.random.random() == expected  # noqa: NPY002
    assert all((one == two).all() for one, two in zip(network.get_weights(), before, strict=True))


def test_heat_is_that_of_the_service(
    experiment: Experiment, network: keras.Model, examples: list[Example]
) -> None:
    """One by one, by the function that answers the service's requests."""
    from service.pipeline.class_explanation import Subject, explain_class  # noqa: PLC0415

    model = LiveModel(network, describe(network, experiment))
    heats = HeatOfExamples(experiment, examples)(network)

    for heat in heats:
        subject = Subject(heat.example.image, heat.example.mask)
        layer = model.manifest.default_layer
        expected = explain_class(model, subject, Method.GRAD_CAM, layer, 1, full=False)
        np.testing.assert_allclose(heat.heatmap.values, expected.heatmap.values, rtol=1e-4)
        assert heat.figures["entropy"] == pytest.approx(expected.figures["entropy"], rel=1e-4)
        margin = expected.scores.logits[1] - expected.scores.logits[0]
        assert heat.margin == pytest.approx(margin, rel=1e-4)


def test_network_is_described_once(
    experiment: Experiment,
    network: keras.Model,
    examples: list[Example],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    described = []

    def counted(*facts: Any) -> Manifest:
        described.append(1)
        return describe(*facts)

    monkeypatch.setattr(example_heat, "describe", counted)
    heat = HeatOfExamples(experiment, examples)

    heat(network)
    heat(keras.models.clone_model(network))

    assert described == [1]


def test_summary_of_examples_by_hand(
    experiment: Experiment, network: keras.Model, examples: list[Example]
) -> None:
    heats = HeatOfExamples(experiment, examples)(network)
    figures = summarise(heats)

    cancers = [one.margin for one in heats if one.example.record.cancer]
    others = [one.margin for one in heats if not one.example.record.cancer]
    peaks = [one.heatmap.peak.value for one in heats if one.heatmap.peak]
    assert len(cancers) == len(others) == 2
    assert figures["margin_difference"] == pytest.approx(sum(cancers) / 2 - sum(others) / 2)
    assert figures["with_heat"] == len(peaks) / 4
    assert full_value(heats) == pytest.approx(np.median(peaks))
    assert 0 <= figures["peak_in_lesion"] <= 1


def test_sheet_has_image_heat_and_outline(
    experiment: Experiment,
    parts: tuple[Part, Part],
    network: keras.Model,
    tmp_path: Path,
) -> None:
    run = Run(tmp_path)
    _, pictures = watch(run, experiment, *parts, pictures=True)
    pictures(EpochState(3, network, {"validation_loss": 0.5}))

    sheet = np.asarray(Image.open(run.epochs / "epoch-003.png"))
    outline = np.all(sheet == LESION, axis=2)
    columns = np.flatnonzero(outline.any(axis=0))

    # The image of the first example begins below the title. It is 168 pixels wide and grey but for
    # the outline of its lesion, which is drawn again over the heat beside it.
    tile = sheet[-300 - GAP :, GAP : GAP + 168][:200]
    grey = (tile.max(axis=2) == tile.min(axis=2)) | np.all(tile == LESION, axis=2)
    assert grey.all()
    assert columns.min() < GAP + 168
    assert columns.max() > GAP + 168 + GAP
    with (run.epochs / "examples.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["number"] for row in rows] == [str(number + 1) for number in range(len(rows))]
    assert {row["patient_id"] for row in rows} <= {one.patient_id for one in parts[1].records}


def test_network_without_maps_is_told_once(
    experiment: Experiment,
    parts: tuple[Part, Part],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    images = keras.Input((48, 36, 1))
    logits = keras.layers.Dense(2, name="logits")(keras.layers.Flatten()(images))
    dense = keras.Model(images, keras.layers.Activation("softmax")(logits))
    run = Run(tmp_path)

    _, pictures = watch(run, experiment, *parts, pictures=True)
    for number in (1, 2):
        pictures(EpochState(number, dense, {}))

    told = capsys.readouterr().out
    assert told.count("no heatmaps of the epochs: The network has no convolutional layer") == 1
    assert not list(run.epochs.glob("epoch-*"))


def test_weight_norm_by_hand() -> None:
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    network.set_weights([np.array([[2.0], [3.0]]), np.array([6.0])])

    # 4 + 9 + 36 = 49.
    assert weight_norm(network) == pytest.approx(7)
