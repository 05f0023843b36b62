"""Optimiser: Adam or AdamW, whose backbone may learn more slowly than its head, and its rate."""

from collections.abc import Collection
from typing import Any

import keras

from training.training_config import Training

_NOT_DECAYED = ["bias", "gamma", "beta"]
"""Variables that weight decay leaves alone: only kernels decay."""


class RatedAdam(keras.optimizers.Adam):  # type: ignore[misc]
    """Adam with another learning rate for some variables. With weight decay it is AdamW.

    `slow`: paths of the variables whose rate is the share `rate` of the others'.
    """

    def __init__(self, *args: Any, slow: Collection[str], rate: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self._slow = frozenset(slow)
        self._rate = rate
        self._rates: list[float] = []

    def build(self, variables: list[keras.Variable]) -> None:
        """Create the state of the optimiser for these variables."""
        self._rates = [self._rate if variable.path in self._slow else 1.0 for variable in variables]
        super().build(variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Change a variable by a step along its gradient."""
        rate = self._rates[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * rate)


class LaterSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A schedule whose optimiser begins at a later step. `first`: number of the steps before."""

    def __init__(
        self, schedule: keras.optimizers.schedules.LearningRateSchedule, first: int
    ) -> None:
        super().__init__()
        self._schedule = schedule
        self._first = first

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step of the optimiser."""
        return self._schedule(step + self._first)


def make_optimiser(
    training: Training, steps: int, *, first_epoch: int, slow: Collection[str], rate: float
) -> keras.optimizers.Optimizer:
    """Return the optimiser of the epochs from `first_epoch` on, counted from 0.

    `steps`: number of steps of an epoch. `slow`: paths of the variables that learn at the share
    `rate` of the learning rate.
    """
    optimiser = RatedAdam(
        LaterSchedule(_schedule(training, steps), first_epoch * steps),
        weight_decay=training.weight_decay or None,
        global_clipnorm=training.clip,
        use_ema=training.ema is not None,
        ema_momentum=training.ema or 0.0,
        slow=slow,
        rate=rate,
    )
    optimiser.exclude_from_weight_decay(var_names=_NOT_DECAYED)
    return optimiser


def _schedule(training: Training, steps: int) -> keras.optimizers.schedules.CosineDecay:
    """Return half a cosine that reaches 0 after the max. number of epochs.

    A linear rise from 0 may come before it.
    """
    rise = round(training.warmup_epochs * steps)
    total = training.epochs * steps
    if not rise:
        return keras.optimizers.schedules.CosineDecay(training.learning_rate, total)

    return keras.optimizers.schedules.CosineDecay(
        0.0, total - rise, warmup_target=training.learning_rate, warmup_steps=rise
    )
