"""Display of a training: counts of its parts, a bar for each epoch, a line and scalars after it."""

import errno
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tqdm import tqdm

from training.data.table import Record
from training.training_config import Training

_MINUTE = 60
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class PartCounts:
    """Counts of the images of a part that can be used.

    `cancers`: images with cancer. `dropped`: images that `prepare` reported as unusable, or None if
    nobody has looked. They are not in the other counts.
    """

    name: str
    images: int
    patients: int
    cancers: int
    dropped: int | None


def count_part(name: str, records: Sequence[Record], dropped: int | None = None) -> PartCounts:
    """Count the records of a part. `dropped`: number of images that are missing in them."""
    patients = {record.patient_id for record in records}
    cancers = sum(record.cancer for record in records)
    return PartCounts(name, len(records), len(patients), cancers, dropped)


def part_table(parts: Sequence[PartCounts]) -> str:
    """Return the counts as a table, with a warning below it if images were dropped."""
    lines = [f"{'part':<12}{'images':>9}{'patients':>10}{'cancers':>9}{'dropped':>9}"]
    for part in parts:
        dropped = "-" if part.dropped is None else part.dropped
        lines.append(
            f"{part.name:<12}{part.images:>9}{part.patients:>10}{part.cancers:>9}{dropped:>9}"
        )

    lost = sum(part.dropped or 0 for part in parts)
    if lost:
        lines.append(
            f"warning: {lost} images were dropped as unusable: failures.csv in the cache says why"
        )
    return "\n".join(lines)


def settings_line(training: Training, steps: int, done: int) -> str:
    """Return a line with the device, the steps and the learning rate. `done`: complete epochs."""
    parts = [
        f"device {', '.join(keras.distribution.list_devices())}",
        f"learning rate {training.learning_rate:g}",
        f"{steps} steps an epoch",
        f"at most {training.epochs} epochs",
    ]
    if done:
        parts.append(f"going on after epoch {done}")
    return ", ".join(parts)


def epoch_bar(batches: Iterable[Any], epoch: int, steps: int) -> "tqdm[Any]":
    """Return the batches of an epoch, counted from 1, under a bar that ends with the epoch."""
    return tqdm(batches, desc=f"epoch {epoch}", total=steps, unit="batch", leave=False)


class EpochLog:
    """Log of complete epochs, on standard output and for TensorBoard.

    It measures the time of each epoch from the end of the one before.
    """

    def __init__(self, directory: Path, epochs: int) -> None:
        self._directory = directory
        self._epochs = epochs
        self._writer = tf.summary.create_file_writer(str(directory))
        self._seconds: list[float] = []
        self._since = time.monotonic()

    def tell(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Tell the figures of an epoch, counted from 1, by name.

        Raises:
            OSError: the disk is full.
        """
        now = time.monotonic()
        self._seconds.append(now - self._since)
        self._since = now

        self._write(epoch, {**figures, "seconds": self._seconds[-1]})
        print(epoch_line(epoch, self._epochs, figures, self._seconds), flush=True)

    def _write(self, epoch: int, scalars: Mapping[str, float]) -> None:
        try:
            with self._writer.as_default():
                for name, value in scalars.items():
                    tf.summary.scalar(name, value, step=epoch)
            self._writer.flush()
        except tf.errors.ResourceExhaustedError as error:
            file = str(self._directory / "events")
            raise OSError(errno.ENOSPC, "No space left on device", file) from error


def epoch_line(
    epoch: int, epochs: int, figures: Mapping[str, float], seconds: Sequence[float]
) -> str:
    """Return the line of an epoch, counted from 1. `seconds`: of the epochs so far, as measured.

    The time left is that of all `epochs`. Early stopping may make it shorter.
    """
    parts = [f"{name} {value:.4g}" for name, value in figures.items()]
    parts.append(duration(seconds[-1]))
    if epoch < epochs:
        left = (epochs - epoch) * sum(seconds) / len(seconds)
        parts.append(f"at most {duration(left)} left")

    return f"epoch {epoch} of {epochs}: " + ", ".join(parts)


def duration(seconds: float) -> str:
    """Return a duration in the largest unit that suits it."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.1f} min"
    return f"{seconds / _HOUR:.1f} h"
