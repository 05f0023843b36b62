"""Training on balanced batches with early stopping on a validation figure.

It can be resumed after any complete epoch.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict

import keras
import numpy as np

from training.config import Experiment
from training.data.batches import Batch, epoch_batches, steps_per_epoch
from training.data.cache import Part
from training.errors import ConfigError
from training.fit.history import (
    Epoch,
    best_epoch,
    breast_auc,
    is_finished,
    measure_epoch,
    read_history,
)
from training.fit.learner import Learner
from training.fit.observing import EpochState, Observer
from training.fit.prediction import predict
from training.fit.progress import EpochBar, Progress, settings_line
from training.fit.run import Run, write_json
from training.networks.build import build_untrained
from training.networks.determinism import make_deterministic

Build = Callable[[Experiment], keras.Model]


def train(  # noqa: PLR0913 - the last three by keyword
    run: Run,
    experiment: Experiment,
    train_part: Part,
    validation_part: Part,
    *,
    build: Build = build_untrained,
    workers: int = 1,
    observers: Sequence[Observer] = (),
) -> list[Epoch]:
    """Train until finished, write the best epoch's network to `run.best_model`, return all figures.

    An interrupted run continues after its last complete epoch, and reaches the same figures as
    without the interruption. `build`: builds the untrained network, whose layer before the softmax
    is named `logits`. By default it is the network that the experiment describes. `workers`:
    threads that make batches. `observers`: are told each complete epoch.

    Raises:
        ConfigError: the validation part cannot tell the monitored figure.
        RunError: a checkpoint is missing or damaged.
    """
    training = experiment.training
    _check_monitor(training.monitor, validation_part)

    # Make two runs with the same seed give the same figures.
    make_deterministic(training.seed)

    steps = steps_per_epoch(train_part.labels, training)
    learner = Learner(build(experiment), experiment, steps)

    # Resume from the last complete epoch.
    history = read_history(run)
    if history:
        learner.restore(len(history) - 1, run.checkpoint(len(history)))
    print(settings_line(training, steps, len(history)), flush=True)

    # Train epoch by epoch, and save each one before it is told and observed.
    progress = Progress(training.epochs)
    while not is_finished(history, training):
        index = len(history)
        learner.enter(index)
        learning_rate = learner.learning_rate

        batches = epoch_batches(train_part, index, training, experiment.augmentation, workers)
        with closing(batches), progress.epoch(index + 1, steps) as epoch_bar:
            losses = _run_epoch(index, learner, batches, epoch_bar)
        with learner.averaged() as network:
            logits = predict(network, validation_part, workers, "validation")
        history = [*history, measure_epoch(losses, validation_part.records, logits)]
        _save(run, learner, history, training.monitor)

        figures = _told(history[-1], learning_rate)
        is_last_best = best_epoch(history, training.monitor) == len(history)
        figures["seconds"] = progress.tell(
            len(history), figures, best=is_last_best and training.monitor != "last"
        )
        with learner.averaged():
            for observer in observers:
                observer(EpochState(len(history), learner.model, figures))

    # Write the network of the best epoch. Its margin knows nothing of the prevalence: `evaluate`
    # calibrates it first, and adds the prevalence then.
    best = best_epoch(history, training.monitor)
    learner.restore(best - 1, run.checkpoint(best))
    learner.write(run.best_model)

    return history


def _check_monitor(monitor: str, part: Part) -> None:
    """Check that the validation part has breasts of both classes, if they choose the epoch."""
    if monitor == "breast_auc" and breast_auc(part.records, np.zeros(len(part))) is None:
        raise ConfigError(
            "All breasts of the validation part are of one class, so that `monitor` in [training] "
            'cannot be "breast_auc": use "auc" or "loss".'
        )


def _told(epoch: Epoch, learning_rate: float) -> dict[str, float]:
    """Return the figures of an epoch that there are, by name."""
    figures = {**asdict(epoch), "learning_rate": learning_rate}
    return {name: value for name, value in figures.items() if value is not None}


def _run_epoch(
    index: int, learner: Learner, batches: Iterable[Batch], epoch_bar: EpochBar
) -> list[float]:
    """Train for one epoch, counted from 0, and return the losses of its batches."""
    losses = []
    learner.seed(index)
    for images, labels, weights in batches:
        losses.append(learner.step(images, labels, weights))
        epoch_bar.step(losses[-1], len(images))

    return losses


def _save(run: Run, learner: Learner, history: Sequence[Epoch], monitor: str) -> None:
    """Save the last epoch, and keep only the last and the best checkpoint."""
    # The checkpoint comes first: an epoch is complete when the history contains it.
    learner.save(run.checkpoint(len(history)))
    write_json(run.history, [asdict(epoch) for epoch in history])

    needed = {run.checkpoint(len(history)), run.checkpoint(best_epoch(history, monitor))}
    for path in set(run.directory.glob("checkpoint-*")) - needed:
        path.unlink()
