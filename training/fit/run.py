"""A run directory: what one training of one experiment leaves behind, and where."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.config import Experiment, load_experiment
from training.errors import RunError


@dataclass(frozen=True, slots=True)
class Run:
    """The names in a run directory, and its JSON files."""

    directory: Path

    @property
    def experiment_file(self) -> Path:
        """The experiment as it was when the run began."""
        return self.directory / "experiment.toml"

    @property
    def best_model(self) -> Path:
        """The finished network, with the weights of its best epoch."""
        return self.directory / "best.keras"

    @property
    def history(self) -> Path:
        """The figures of every epoch."""
        return self.directory / "history.json"

    @property
    def operating_point(self) -> Path:
        """Temperature and threshold."""
        return self.directory / "operating_point.json"

    @property
    def evaluation(self) -> Path:
        """The figures measured on the test part."""
        return self.directory / "evaluation.json"

    @property
    def scorecard(self) -> Path:
        """What the scorecard found; its arrays are beside it as `.npz`."""
        return self.directory / "scorecard.json"

    @property
    def logs(self) -> Path:
        """TensorBoard's directory."""
        return self.directory / "logs"

    def checkpoint(self, epoch: int) -> Path:
        """Weights and optimiser after an epoch, counted from 1."""
        return self.directory / f"checkpoint-{epoch:03d}.weights.h5"

    def begin(self, experiment_file: Path) -> None:
        """Makes the directory, or makes sure that it is this experiment's.

        Raises:
            RunError: if it is another's.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        text = experiment_file.read_text(encoding="utf-8")
        if not self.experiment_file.exists():
            self.experiment_file.write_text(text, encoding="utf-8")
        elif self.experiment_file.read_text(encoding="utf-8") != text:
            raise RunError(
                f"{self.directory} was begun with another version of {experiment_file}: "
                "give this one a directory of its own with --run, or delete the old one."
            )

    def experiment(self) -> Experiment:
        """The experiment that the run is of.

        Raises:
            RunError: if the run was not begun.
        """
        return load_experiment(self.require(self.experiment_file, "train"))

    def require(self, path: Path, step: str) -> Path:
        """The path, which exists.

        Raises:
            RunError: naming the step that makes it.
        """
        if not path.exists():
            raise RunError(f"{path} does not exist: run `python -m training {step}` first.")
        return path


def read_json(path: Path) -> Any:
    """The document in a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, document: Mapping[str, Any] | list[Any]) -> None:
    """Writes the document; the file holds it, or, if this is interrupted, what it held before."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)
