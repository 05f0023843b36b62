"""Run directory: the files of one training of one experiment, and their names."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from service.imaging import IMAGING_VERSION
from service.model import Level
from training.config import Experiment
from training.config_files import load_experiment
from training.errors import RunError

_SOURCES = (
    "data/augment.py",
    "data/batches.py",
    "fit/learner.py",
    "fit/optimiser.py",
    "fit/train.py",
    "networks/applications.py",
    "networks/backbone.py",
    "networks/cnn.py",
    "networks/determinism.py",
    "networks/efficientnet_lite.py",
    "networks/first_weights.py",
    "networks/freezing.py",
    "networks/full_precision.py",
    "networks/head.py",
    "networks/trunk.py",
)


@dataclass(frozen=True, slots=True)
class Run:
    """A run directory and the paths of its files."""

    directory: Path

    @property
    def experiment_file(self) -> Path:
        """Copy of the experiment file from the start of the run."""
        return self.directory / "experiment.toml"

    @property
    def code(self) -> Path:
        """Digest of the code at the start of the run."""
        return self.directory / "code.sha256"

    @property
    def split(self) -> Path:
        """The part of each image, as a CSV table."""
        return self.directory / "split.csv"

    @property
    def provenance(self) -> Path:
        """Data, code, machine and seeds at the start of the run."""
        return self.directory / "provenance.json"

    @property
    def best_model(self) -> Path:
        """Trained network with the weights of its best epoch."""
        return self.directory / "best.keras"

    @property
    def history(self) -> Path:
        """Figures of every epoch."""
        return self.directory / "history.json"

    @property
    def operating_point(self) -> Path:
        """Path of the chosen softmax temperature and threshold, with their validation figures."""
        return self.directory / "operating_point.json"

    @property
    def evaluation(self) -> Path:
        """Figures measured on the test part."""
        return self.directory / "evaluation.json"

    @property
    def curves(self) -> Path:
        """ROC curves and calibration of the test part."""
        return self.directory / "curves.json"

    def predictions(self, level: Level) -> Path:
        """Return the path of the test part's predictions at a level, a CSV table."""
        return self.directory / f"predictions-{level}.csv"

    def round(self, fold: str) -> "Run":
        """Return the run of a round of a cross-validation, whose test part is that fold."""
        return Run(self.directory / f"fold-{fold}")

    @property
    def scorecard(self) -> Path:
        """Results of the scorecard. Their arrays are in an `.npz` beside it."""
        return self.directory / "scorecard.json"

    @property
    def logs(self) -> Path:
        """Directory of the TensorBoard logs."""
        return self.directory / "logs"

    @property
    def epochs(self) -> Path:
        """Directory of the pictures of epochs and of augmented images."""
        return self.directory / "epochs"

    def checkpoint(self, epoch: int) -> Path:
        """Return the path of weights and optimiser state after an epoch, counted from 1."""
        return self.directory / f"checkpoint-{epoch:03d}.weights.h5"

    def begin(self, experiment_file: Path) -> None:
        """Create the directory, or check that it belongs to this experiment and this code.

        Weights that were trained with another network or on images of another fit would load
        without a word, and give a network that was never trained. Comments of the experiment's file
        may change.

        Raises:
            RunError: if it belongs to another experiment, whose keys are named, or was begun with
                other code.
            ConfigError: the experiment's file cannot be used.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        experiment = load_experiment(experiment_file)
        code = _code_digest()

        if not self.experiment_file.exists():
            # The experiment comes last, and as a whole: a directory with it has been begun.
            write_text(self.code, code + "\n")
            write_text(self.experiment_file, experiment_file.read_text(encoding="utf-8"))
            return

        if not self.code.exists() or self.code.read_text(encoding="utf-8").strip() != code:
            self._refuse("was begun with another version of the fit, the network or the training")
        changes = _differences(self.experiment(), experiment)
        if changes:
            self._refuse(f"belongs to another version of {experiment_file} ({changes})")

    def _refuse(self, reason: str) -> NoReturn:
        raise RunError(
            f"{self.directory} {reason}: choose another directory with --run, or delete this one."
        )

    def experiment(self) -> Experiment:
        """Read the run's experiment.

        Raises:
            RunError: if the directory has no experiment file.
        """
        return load_experiment(self.require(self.experiment_file, "train"))

    def require(self, path: Path, step: str) -> Path:
        """Return `path` if it exists.

        Raises:
            RunError: if it does not exist. The message names the step that writes it.
        """
        if not path.exists():
            raise RunError(f"{path} does not exist: run `python -m training {step}` first.")
        return path


def _differences(there: Experiment, now: Experiment) -> str:
    """Return the keys of two experiments that differ, with both values."""
    old = _flat(there.model_dump(mode="json"))
    new = _flat(now.model_dump(mode="json"))
    return "; ".join(
        f"{key}: {old.get(key)} there, {new.get(key)} now"
        for key in {**old, **new}
        if old.get(key) != new.get(key)
    )


def _flat(section: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the values of a section and its subsections, by dotted key."""
    values: dict[str, Any] = {}
    for key, value in section.items():
        if isinstance(value, dict):
            values |= _flat(value, f"{prefix}{key}.")
        else:
            values[prefix + key] = value

    return values


def _code_digest() -> str:
    """Return a digest of the code that decides a trained network.

    It is that of the imaging version, the network, the batches and the training.
    """
    package = Path(__file__).parents[1]
    digest = hashlib.sha256(f"imaging {IMAGING_VERSION}\n".encode())
    for source in _SOURCES:
        digest.update((package / source).read_bytes())

    return digest.hexdigest()


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, document: Mapping[str, Any] | list[Any]) -> None:
    """Write a JSON file atomically: after an interruption it still has its previous content."""
    write_text(path, json.dumps(document, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically: after an interruption it still has its previous content."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically: after an interruption it still has its previous content."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)
