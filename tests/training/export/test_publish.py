from collections.abc import Callable
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from service.model import EXPERIMENT_FILE, MODEL_CARD_FILE, Bundle
from training.commands import main
from training.config_files import load_experiment
from training.data.prepare import prepare
from training.data.table import load_records
from training.errors import ScorecardError
from training.evaluation.calibration import PlattScaling, calibrate
from training.evaluation.evaluate import evaluate
from training.evaluation.roc_curves import read_curves
from training.export.publish import export_foreign_model, export_run
from training.fit.run import Run, read_json
from training.fit.start import start
from training.fit.train import train
from training.introspection.own_model import read_choice
from training.networks.cnn import logits_model

FOREIGN = """\
[fit]
height = 48
width = 36
margin = 0.02
white_percentile = 99.5
[decision]
classes = ["benign", "malignant"]
positive_class = "malignant"
threshold = 0.3
threshold_rule = "Chosen elsewhere."
temperature = 1.5
offset = -0.5
[bundle]
training_data = "None."
intended_use = "Tests."
limitations = "Untrained."
"""


def test_bundle_answers_as_its_run_was_measured(
    write_experiment: Callable[..., Path], tmp_path: Path
) -> None:
    """The scorecard of the run is part of this test, because training takes long."""
    toml = write_experiment(tmp_path / "toy.toml", ("epochs = 4", "epochs = 1"))
    experiment = load_experiment(toml)
    prepare(load_records(experiment), experiment, workers=2)
    run = Run(tmp_path / "runs" / "toy")
    parts = start(run, toml)

    train(run, experiment, parts.train, parts.validation)
    evaluate(run, experiment, parts)

    bundle = Bundle.load(
        export_run(run, tmp_path / "models" / "toy" / "7", overwrite=False, require_scorecard=False)
    )

    choice = read_choice(run.operating_point)
    manifest = bundle.manifest
    assert (manifest.name, manifest.version, manifest.default_layer) == ("toy", 7, "conv2d_2")
    assert (manifest.temperature, manifest.offset) == (choice.temperature, choice.offset)
    assert manifest.levels == choice.levels
    assert manifest.provenance is not None
    assert manifest.provenance.patients == {"train": 20, "validation": 10, "test": 10}
    settings = read_json(tmp_path / "models" / "toy" / "7" / EXPERIMENT_FILE)
    assert settings["training"]["learning_rate"] == experiment.training.learning_rate
    assert str(toml.parent) not in str(settings)
    assert "data" not in settings
    assert manifest.preprocessing == experiment.fit.parameters()

    images = parts.test.images(range(4))
    logits = logits_model(keras.saving.load_model(run.best_model)).predict_on_batch(images)
    margins = (logits[:, 1] - logits[:, 0]).astype(np.float64)
    expected = calibrate(margins, PlattScaling(choice.temperature, choice.offset))
    assert bundle.predict(images).probabilities[:, 1] == pytest.approx(expected, abs=1e-5)
    assert bundle.scorecard is None
    assert bundle.domain is None
    assert bundle.curves is not None
    assert bundle.curves == read_curves(run.curves)

    assert_scorecard_travels(run, tmp_path / "models" / "toy" / "8")


def assert_scorecard_travels(run: Run, out: Path) -> None:
    """Check that a bundle holds the scorecard of its run, which is undecided on few images."""
    with pytest.raises(ScorecardError, match="training scorecard"):
        export_run(run, out, overwrite=False, require_scorecard=True)

    assert main(["scorecard", str(run.directory), "--effort", "quick"]) == 0
    with pytest.raises(ScorecardError, match="did not pass its scorecard"):
        export_run(run, out, overwrite=False, require_scorecard=True)

    bundle = Bundle.load(export_run(run, out, overwrite=False, require_scorecard=False))

    assert bundle.scorecard is not None
    assert not bundle.scorecard.passed
    assert {line.name for line in bundle.scorecard.lines} >= {
        "auc",
        "corners",
        "randomisation",
        "dead_filters conv2d_2",
    }
    assert bundle.domain is not None
    assert bundle.domain.mean.shape == (bundle.manifest.features,) == (4 + 6,)
    assert bundle.manifest.reference is not None

    card = (out / MODEL_CARD_FILE).read_text()
    assert "Undecided: " in card
    assert bundle.scorecard.lines[0].meaning in card


def write_foreign_model(directory: Path) -> None:
    """Write an untrained Keras classifier and its description to the directory."""
    model = keras.Sequential(
        [
            keras.Input((48, 36, 1)),
            keras.layers.Conv2D(3, 3, activation="relu", name="only"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.save(directory / "foreign.keras")
    (directory / "foreign.toml").write_text(FOREIGN)


def export_command(directory: Path, *options: str) -> list[str]:
    """Return the command that exports the foreign model of the directory."""
    return [
        "export",
        "--keras",
        str(directory / "foreign.keras"),
        "--bundle",
        str(directory / "foreign.toml"),
        "--out",
        str(directory / "foreign" / "1"),
        *options,
    ]


def score_foreign_model(directory: Path, toml: Path) -> int:
    """Run the command `scorecard` on the foreign model and return its exit code."""
    options = {
        "--keras": directory / "foreign.keras",
        "--bundle": directory / "foreign.toml",
        "--experiment": toml,
        "--out": directory / "scorecard.json",
    }
    return main(["scorecard", *(str(part) for option in options.items() for part in option)])


def write_images(write_experiment: Callable[..., Path], directory: Path) -> Path:
    """Write the images of the experiment, without the sections of its network and training."""
    toml = write_experiment(directory / "toy.toml")
    text = toml.read_text()
    toml.write_text(text[: text.index("[network]")])
    return toml


def test_foreign_model_becomes_bundle_with_scorecard(
    write_experiment: Callable[..., Path], tmp_path: Path
) -> None:
    """Any Keras classifier can be exported, with a scorecard on the images of an experiment."""
    write_foreign_model(tmp_path)
    toml = write_images(write_experiment, tmp_path)
    assert main(["prepare", str(toml), "--workers", "2"]) == 0

    assert score_foreign_model(tmp_path, toml) == 0
    out = export_foreign_model(
        tmp_path / "foreign.keras",
        tmp_path / "foreign.toml",
        tmp_path / "foreign" / "2",
        scorecard=tmp_path / "scorecard.json",
        overwrite=False,
        require_scorecard=False,
    )

    bundle = Bundle.load(out)
    assert bundle.scorecard is not None
    assert bundle.domain is not None

    manifest = bundle.manifest
    assert manifest.classes == ("benign", "malignant")
    assert [layer.name for layer in manifest.layers] == ["only"]
    assert (manifest.threshold, manifest.temperature, manifest.version) == (0.3, 1.5, 2)
    assert manifest.offset == -0.5


def test_scorecard_refuses_a_directory_at_once(
    write_experiment: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_foreign_model(tmp_path)
    toml = write_images(write_experiment, tmp_path)
    (tmp_path / "scorecard.json").mkdir()

    assert score_foreign_model(tmp_path, toml) == 2

    assert "scorecard.json is a directory: name the JSON file" in capsys.readouterr().err


def test_scorecard_refuses_images_of_another_fit(
    write_experiment: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_foreign_model(tmp_path)
    toml = write_experiment(tmp_path / "toy.toml", ("margin = 0.02", "margin = 0.1"))

    assert score_foreign_model(tmp_path, toml) == 2

    assert "[fit]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "golden.png cannot be read (No such file or directory): name another"),
        (b"", "golden.png cannot be used: The file is empty"),
        (b"a letter", "golden.png cannot be used: The file is not"),
        (cv2.imencode(".png", np.zeros((90, 60), np.uint8))[1].tobytes(), "cannot be used: "),
    ],
    ids=["missing", "empty", "text", "black"],
)
def test_golden_image_is_checked_before_the_network(
    content: bytes | None, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Keras file is missing, too, and would be named if it were looked at first."""
    golden = tmp_path / "golden.png"
    (tmp_path / "foreign.toml").write_text(f'{FOREIGN}golden_image = "{golden}"\n')
    if content is not None:
        golden.write_bytes(content)

    code = main(export_command(tmp_path))

    assert code == 2
    message = capsys.readouterr().err
    assert message.startswith(f"error: The golden_image {tmp_path}")
    assert complaint in message


@pytest.mark.parametrize("content", [None, b"{}"])
def test_named_scorecard_must_be_one(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_foreign_model(tmp_path)
    scorecard = tmp_path / "scorecard.json"
    if content is not None:
        scorecard.write_bytes(content)

    code = main(export_command(tmp_path, "--scorecard", str(scorecard)))

    assert code == 2
    assert str(scorecard) in capsys.readouterr().err


def test_bundle_of_mixed_precision_answers_as_trained(tmp_path: Path) -> None:
    keras.utils.set_random_seed(4)
    keras.config.set_dtype_policy("mixed_float16")
    write_foreign_model(tmp_path)
    keras.config.set_dtype_policy("float32")
    model = keras.saving.load_model(tmp_path / "foreign.keras", compile=False)
    images = np.random.default_rng(0).random((4, 48, 36, 1), np.float32)
    # The description divides logits by 1.5 and adds -0.5 to that of the second class.
    odds = np.asarray(model(images), np.float64) ** (1 / 1.5) * np.exp([0, -0.5])
    expected = odds / odds.sum(axis=1, keepdims=True)

    assert main(export_command(tmp_path)) == 0

    # Numbers of 16 bits are 2 ** -11 apart below 1.
    bundle = Bundle.load(tmp_path / "foreign" / "1")
    assert bundle.predict(images).probabilities == pytest.approx(expected, abs=2**-10)
