"""Training on balanced batches with early stopping on the validation loss.

It can be resumed after any complete epoch.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from service.records import Floats
from training.config import Experiment
from training.data.batches import epoch_batches, steps_per_epoch
from training.data.cache import Part
from training.fit.checkpoint import load_checkpoint, save_checkpoint
from training.fit.progress import EpochLog, epoch_bar, settings_line
from training.fit.run import Run, read_json, write_json
from training.networks.build import build_untrained
from training.networks.cnn import logits_model, seed_dropout
from training.training_config import Training

PREDICTION_BATCH = 64

Build = Callable[[Experiment], keras.Model]


@dataclass(frozen=True, slots=True)
class Epoch:
    """Figures of one epoch.

    `train_loss`: mean over the batches. `validation_loss`: loss of the validation images, balanced
    by class.
    """

    train_loss: float
    validation_loss: float
    validation_auc: float


def train(
    run: Run,
    experiment: Experiment,
    train_part: Part,
    validation_part: Part,
    build: Build = build_untrained,
) -> list[Epoch]:
    """Train until finished, write the best epoch's network to `run.best_model`, return all figures.

    An interrupted run continues after its last complete epoch, and reaches the same figures as
    without the interruption. `build`: builds the untrained network, whose layer before the softmax
    is named `logits`. By default it is the network that the experiment describes.
    """
    # Make two runs with the same seed give the same figures.
    keras.utils.set_random_seed(experiment.training.seed)
    tf.config.experimental.enable_op_determinism()

    # Train up to the logits: the loss of logits is more exact than that of rounded probabilities.
    model = build(experiment)
    learner = logits_model(model)
    learner.compile(
        optimizer=keras.optimizers.Adam(_learning_rate(experiment.training, train_part)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )

    # Resume from the last complete epoch. The optimiser needs its variables before a checkpoint can
    # restore them.
    learner.optimizer.build(learner.trainable_variables)
    history = read_history(run)
    if history:
        load_checkpoint(learner, run.checkpoint(len(history)))

    steps = steps_per_epoch(train_part.labels, experiment.training.batch_size)
    print(settings_line(experiment.training, steps, len(history)), flush=True)

    # Train epoch by epoch, and save each one before it is logged.
    log = EpochLog(run.logs, experiment.training.epochs)
    while not is_finished(history, experiment):
        learning_rate = float(learner.optimizer.learning_rate)
        epoch = _run_epoch(len(history), learner, experiment, train_part, validation_part)
        history = [*history, epoch]
        _save(run, learner, history)
        log.tell(len(history), {**asdict(epoch), "learning_rate": learning_rate})

    # Write the network of the best epoch. Its margin knows nothing of the prevalence: `evaluate`
    # calibrates it first, and adds the prevalence then.
    load_checkpoint(learner, run.checkpoint(best_epoch(history)))
    model.save(run.best_model)

    return history


def _learning_rate(
    training: Training, part: Part
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return the schedule: half a cosine that reaches 0 after the max. number of epochs."""
    steps = training.epochs * steps_per_epoch(part.labels, training.batch_size)
    return keras.optimizers.schedules.CosineDecay(training.learning_rate, steps)


def read_history(run: Run) -> list[Epoch]:
    """Read the figures of the complete epochs."""
    if not run.history.exists():
        return []
    return [Epoch(**figures) for figures in read_json(run.history)]


def best_epoch(history: Sequence[Epoch]) -> int:
    """Return the first epoch with the lowest validation loss, counted from 1."""
    return 1 + min(range(len(history)), key=lambda index: history[index].validation_loss)


def is_finished(history: Sequence[Epoch], experiment: Experiment) -> bool:
    """Return whether the max. number of epochs is reached or the patience is used up."""
    if not history:
        return False

    epochs_since_best = len(history) - best_epoch(history)
    return (
        len(history) >= experiment.training.epochs
        or epochs_since_best >= experiment.training.patience
    )


def _run_epoch(
    index: int,
    learner: keras.Model,
    experiment: Experiment,
    train_part: Part,
    validation_part: Part,
) -> Epoch:
    """Train for one epoch, counted from 0, and measure it on the validation part."""
    batches = epoch_batches(train_part, index, experiment.training, experiment.augmentation)
    steps = steps_per_epoch(train_part.labels, experiment.training.batch_size)

    # A checkpoint does not contain the state of dropout. Seeding it for each epoch makes a resumed
    # run drop the same values.
    seed_dropout(learner, experiment.training.seed, index)
    losses = [
        float(learner.train_on_batch(images, labels))
        for images, labels in epoch_bar(batches, index + 1, steps)
    ]

    logits = predict(learner, validation_part)
    return Epoch(
        train_loss=float(np.mean(losses)),
        validation_loss=balanced_loss(validation_part.labels, logits),
        validation_auc=float(roc_auc_score(validation_part.labels, logits[:, 1] - logits[:, 0])),
    )


def predict(model: keras.Model, part: Part) -> Floats:
    """Return the model's outputs [N, 2] for a part."""
    outputs: list[Floats] = [
        model.predict_on_batch(
            part.images(np.arange(start, min(start + PREDICTION_BATCH, len(part))))
        )
        for start in range(0, len(part), PREDICTION_BATCH)
    ]
    return np.concatenate(outputs)


def balanced_loss(labels: NDArray[np.int32], logits: Floats) -> float:
    """Return the cross-entropy in nats as the mean of the two classes' means.

    Training sees balanced classes, so the validation loss weights them equally.
    """
    margins = np.where(labels == 1, 1, -1) * (logits[:, 1] - logits[:, 0]).astype(np.float64)
    losses = np.logaddexp(0, -margins)

    return float(np.mean([losses[labels == label].mean() for label in (0, 1)]))


def _save(run: Run, learner: keras.Model, history: Sequence[Epoch]) -> None:
    """Save the last epoch, and keep only the last and the best checkpoint."""
    # The checkpoint comes first: an epoch is complete when the history contains it.
    save_checkpoint(learner, run.checkpoint(len(history)))
    write_json(run.history, [asdict(epoch) for epoch in history])

    needed = {run.checkpoint(len(history)), run.checkpoint(best_epoch(history))}
    for path in set(run.directory.glob("checkpoint-*")) - needed:
        path.unlink()
