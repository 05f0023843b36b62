"""Cross-validations as they lie in run directories, on the same images."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.util.tensor_util import make_ndarray

from service.model import Level
from training.data.table import Record, load_records
from training.data.table_file import column_name
from training.errors import RunError
from training.evaluation.predictions import Predictions, read_predictions
from training.evaluation.statistics import Values
from training.fit.run import Run, read_json

_HEAD = 12
_CHECKSUM = 4
"""Bytes of a record of TensorBoard: its length with a checksum, and the checksum of its content."""


@dataclass(frozen=True, slots=True)
class RoundEffort:
    """Number of epochs of a round, and their seconds, or None without a log of them."""

    epochs: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class ValidatedRun:
    """Out-of-fold predictions of one cross-validation.

    `predictions`: of all images, in the order of their keys. `folds`, `machines`: of each image.
    `rounds`: by fold.
    """

    network: str
    directory: Path
    seed: int
    predictions: Predictions
    folds: tuple[str, ...]
    machines: tuple[str, ...]
    rounds: Mapping[str, RoundEffort]


def read_validated_run(network: str, directory: Path) -> ValidatedRun:
    """Read a complete cross-validation.

    Raises:
        RunError: the directory has none, or its table lacks one of its images.
    """
    run = Run(directory)
    run.require(run.evaluation, "cross-validate")
    provenance = read_json(run.provenance)
    if "rounds" not in provenance:
        raise RunError(f"{directory} is a single training and no cross-validation.")

    experiment = run.experiment()
    records = load_records(experiment)
    predictions = _in_order(read_predictions(run.predictions(Level.IMAGE), records))
    fold_of = {
        record.key: fold
        for fold in provenance["rounds"]
        for record in read_predictions(run.round(fold).predictions(Level.IMAGE), records).records
    }
    machine = column_name(experiment.comparison.machine)
    return ValidatedRun(
        network=network,
        directory=directory,
        seed=experiment.training.seed,
        predictions=predictions,
        folds=tuple(fold_of[record.key] for record in predictions.records),
        machines=tuple(record.columns.get(machine, "") for record in predictions.records),
        rounds={fold: _effort(run.round(fold)) for fold in provenance["rounds"]},
    )


def require_same_images(runs: Sequence[ValidatedRun]) -> None:
    """Check that all runs have the same images with the same labels in the same folds.

    Raises:
        RunError: two runs do not. The message names both.
    """
    first = runs[0]
    for other in runs[1:]:
        if _keys(other) != _keys(first):
            differing = len(_keys(other) ^ _keys(first))
            raise RunError(
                f"{other.directory} and {first.directory} cannot be compared: {differing} images, "
                "labels or folds are in one of them alone."
            )


def _keys(run: ValidatedRun) -> set[tuple[tuple[str, str], bool, str]]:
    return {
        (record.key, record.cancer, fold)
        for record, fold in zip(run.predictions.records, run.folds, strict=True)
    }


def _in_order(predictions: Predictions) -> Predictions:
    """Return the predictions in the order of the images' keys."""
    keys = [record.key for record in predictions.records]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    records: tuple[Record, ...] = tuple(predictions.records[index] for index in order)

    def ordered(values: Values) -> Values:
        return np.asarray(values[order])

    return Predictions(
        records,
        ordered(predictions.margins),
        ordered(predictions.probabilities),
        ordered(predictions.at_data),
        {name: ordered(scores) for name, scores in predictions.floors.items()},
    )


def _effort(run: Run) -> RoundEffort:
    return RoundEffort(len(read_json(run.history)), epoch_seconds(run.logs))


def epoch_seconds(logs: Path) -> float | None:
    """Return the sum of the epochs' seconds in TensorBoard's files, or None if they tell none."""
    by_epoch: dict[int, float] = {}
    # An epoch that was lost in an interruption is logged twice: the last one counts.
    for path in sorted(logs.glob("events.out.tfevents.*")):
        for event in _events(path.read_bytes()):
            for value in event.summary.value:
                if value.tag == "seconds":
                    by_epoch[event.step] = _number(value)

    return sum(by_epoch.values()) if by_epoch else None


def _events(content: bytes) -> Iterator[Event]:
    """Yield the events of a file: each has its length and a checksum before, and one behind it.

    The last one may be cut off.
    """
    start = 0
    while start + _HEAD <= len(content):
        (length,) = struct.unpack_from("<Q", content, start)
        end = start + _HEAD + length + _CHECKSUM
        if end > len(content):
            return

        yield Event.FromString(content[start + _HEAD : end - _CHECKSUM])
        start = end


def _number(value: Summary.Value) -> float:
    """Return a scalar, as a number or as TensorFlow writes it."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    return float(make_ndarray(value.tensor))
