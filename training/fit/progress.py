"""Display of a training: a bar for the epoch that runs, a line for each complete one.

Times are those of this process. An epoch that another process has run, before an interruption,
counts for none of them.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

import keras
import numpy as np

from training.bars import bar
from training.training_config import Training

MONITORS: Mapping[str, str] = {
    "loss": "validation loss",
    "auc": "validation AUC",
    "breast_auc": "validation AUC of breasts",
}
"""Figure that chooses the epoch, in words, by the value of `monitor` that names one."""

_MINUTE = 60
_HOUR = 3600
_BAR = "{desc}:{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"

Clock = Callable[[], float]


class Progress:
    """Bars and lines of a run. An epoch lasts from the end of the one before to its own line."""

    def __init__(self, epochs: int, clock: Clock = time.monotonic) -> None:
        self._epochs = epochs
        self._clock = clock
        self._since = clock()
        self._seconds: list[float] = []

    def epoch(self, number: int, steps: int) -> "EpochBar":
        """Return the bar over the steps of an epoch, counted from 1."""
        return EpochBar(number, self._epochs, steps, self._since, self._seconds, self._clock)

    def tell(self, number: int, figures: Mapping[str, float], *, best: bool) -> float:
        """Print the line of a complete epoch, counted from 1, and return its seconds.

        `best`: no epoch before was better.
        """
        now = self._clock()
        self._seconds.append(now - self._since)
        self._since = now

        print(epoch_line(number, self._epochs, figures, self._seconds, best=best), flush=True)
        return self._seconds[-1]


class EpochBar:
    """Bar over the steps of an epoch: mean loss, pace, and time left of the epoch and of the run.

    The first step compiles the network, so the pace is that of the steps after it. `since`: the
    begin of the epoch. `seconds`: those of the complete epochs, as measured.
    """

    def __init__(
        self,
        number: int,
        epochs: int,
        steps: int,
        since: float,
        seconds: Sequence[float],
        clock: Clock = time.monotonic,
    ) -> None:
        self._epochs_after = epochs - number
        self._steps = steps
        self._since = since
        self._seconds = seconds
        self._clock = clock
        self._losses: list[float] = []
        self._second_step = since
        self._images = 0
        self._bar = bar(None, f"epoch {number} of {epochs}", total=steps, unit="step")
        self._bar.bar_format = _BAR

    def __enter__(self) -> Self:
        """Show the bar."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the bar."""
        self._bar.close()

    @property
    def text(self) -> str:
        """The figures at the end of the bar."""
        parts = [f"loss {np.mean(self._losses):.4f}"]
        done = len(self._losses) - 1
        passed = self._clock() - self._second_step
        if done == 0 or passed == 0:
            return parts[0]

        step = passed / done
        left = step * (self._steps - len(self._losses))
        parts.append(f"{self._images / passed:.3g} images/s")
        parts.append(f"{duration(left)} left")
        if self._epochs_after:
            parts.append(self._run_left(step, left))
        return ", ".join(parts)

    def step(self, loss: float, images: int) -> None:
        """Count a step. `images`: those of its batch."""
        self._losses.append(loss)
        if len(self._losses) == 1:
            self._second_step = self._clock()
        else:
            self._images += images

        self._bar.set_postfix_str(self.text, refresh=False)
        self._bar.update()

    def _run_left(self, step: float, left: float) -> str:
        """Return the time that the run takes yet. `step`, `left`: seconds of a step, of the rest.

        Before an epoch is complete, the time of validation and pictures is not known.
        """
        if not self._seconds:
            steps = self._epochs_after * self._steps * step + left
            return f"run about {duration(steps)} left"

        epoch = mean_seconds(self._seconds)
        rest = max(epoch - (self._clock() - self._since), left)
        return f"run at most {duration(self._epochs_after * epoch + rest)} left"


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


def epoch_line(
    number: int,
    epochs: int,
    figures: Mapping[str, float],
    seconds: Sequence[float],
    *,
    best: bool = False,
) -> str:
    """Return the line of an epoch, counted from 1. `seconds`: of the epochs so far, as measured.

    The time left is that of all `epochs`. Early stopping may make it shorter.
    """
    parts = [f"{name} {value:.4g}" for name, value in figures.items()]
    if best:
        parts.append("best so far")
    parts.append(duration(seconds[-1]))
    if number < epochs:
        parts.append(f"at most {duration((epochs - number) * mean_seconds(seconds))} left")

    return f"epoch {number} of {epochs}: " + ", ".join(parts)


def mean_seconds(seconds: Sequence[float]) -> float:
    """Return the mean time of an epoch. The first one compiles, so it counts only while alone."""
    return float(np.mean(seconds[1:] or seconds))


def outcome_line(best: int, done: int, training: Training) -> str:
    """Return the sentences about the end of a training: the epoch that is kept, and the reason.

    `best`: the epoch that is kept, counted from 1. `done`: complete epochs.
    """
    figure = MONITORS.get(training.monitor)
    why = "the last one" if figure is None else f"which has the best {figure}"
    kept = f"epoch {best} of {done} is kept, {why}"
    if done >= training.epochs:
        reason = "all epochs are done"
    else:
        reason = f"none of the {done - best} epochs after it was better"
    return f"{kept}; training stopped because {reason}"


def duration(seconds: float) -> str:
    """Return a duration in the largest unit that suits it."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.1f} min"
    return f"{seconds / _HOUR:.1f} h"
