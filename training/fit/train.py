"""Training: epochs over balanced batches until the validation loss stops falling, resumable after any of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from service.records import Floats
from training.config import Experiment, Training
from training.data.batches import epoch_batches, steps_per_epoch
from training.data.cache import Part
from training.fit.network import build_network, logits_model, restore_prevalence, seed_dropout
from training.fit.run import Run, read_json, write_json

PREDICTION_BATCH = 64


@dataclass(frozen=True, slots=True)
class Epoch:
    """Figures of one epoch: mean loss of its batches, and loss balanced by class and AUC of the validation images."""

    train_loss: float
    validation_loss: float
    validation_auc: float


def train(run: Run, experiment: Experiment, train_part: Part, validation_part: Part) -> list[Epoch]:
    """The figures of every epoch, once `run.best_model` holds the best one's network.

    A run that was interrupted goes on after its last complete epoch and ends with the figures it would have ended with.
    """
    keras.utils.set_random_seed(experiment.training.seed)
    tf.config.experimental.enable_op_determinism()
    model = build_network(experiment.fit.height, experiment.fit.width, experiment.network)
    learner = logits_model(model)
    learner.compile(
        optimizer=keras.optimizers.Adam(_learning_rate(experiment.training, train_part)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    learner.optimizer.build(learner.trainable_variables)
    history = read_history(run)
    if history:
        learner.load_weights(run.checkpoint(len(history)))
    with tf.summary.create_file_writer(str(run.logs)).as_default():
        while not is_finished(history, experiment):
            history = [
                *history,
                _run_epoch(len(history), learner, experiment, train_part, validation_part),
            ]
            _keep(run, learner, history)
            _log(history)
    learner.load_weights(run.checkpoint(best_epoch(history)))
    restore_prevalence(model, float(train_part.labels.mean()))
    model.save(run.best_model)
    return history


def _learning_rate(
    training: Training, part: Part
) -> keras.optimizers.schedules.LearningRateSchedule:
    steps = training.epochs * steps_per_epoch(part.labels, training.batch_size)
    return keras.optimizers.schedules.CosineDecay(training.learning_rate, steps)


def read_history(run: Run) -> list[Epoch]:
    """The figures of the epochs that are complete."""
    return [Epoch(**figures) for figures in read_json(run.history)] if run.history.exists() else []


def best_epoch(history: Sequence[Epoch]) -> int:
    """The epoch of the lowest validation loss, counted from 1."""
    return 1 + min(range(len(history)), key=lambda index: history[index].validation_loss)


def is_finished(history: Sequence[Epoch], experiment: Experiment) -> bool:
    """Whether the epochs are used up, or the last ones brought nothing better."""
    if not history:
        return False
    patience, epochs = experiment.training.patience, experiment.training.epochs
    return len(history) >= epochs or len(history) - best_epoch(history) >= patience


def _run_epoch(
    index: int,
    learner: keras.Model,
    experiment: Experiment,
    train_part: Part,
    validation_part: Part,
) -> Epoch:
    batches = epoch_batches(train_part, index, experiment.training, experiment.augmentation)
    # A checkpoint does not hold the state of dropout, and a run that is resumed must drop what it would have dropped.
    seed_dropout(learner, experiment.training.seed, index)
    losses = [
        float(learner.train_on_batch(images, labels))
        for images, labels in tqdm(batches, desc=f"epoch {index + 1}", unit="batch", leave=False)
    ]
    logits = predict(learner, validation_part)
    return Epoch(
        train_loss=float(np.mean(losses)),
        validation_loss=balanced_loss(validation_part.labels, logits),
        validation_auc=float(roc_auc_score(validation_part.labels, logits[:, 1] - logits[:, 0])),
    )


def predict(model: keras.Model, part: Part) -> Floats:
    """The model's outputs [N, 2] for a part."""
    outputs: list[Floats] = [
        model.predict_on_batch(
            part.images(np.arange(start, min(start + PREDICTION_BATCH, len(part))))
        )
        for start in range(0, len(part), PREDICTION_BATCH)
    ]
    return np.concatenate(outputs)


def balanced_loss(labels: NDArray[np.int32], logits: Floats) -> float:
    """The cross-entropy in nats, averaged within each class first, as training sees balanced classes."""
    margins = np.where(labels == 1, 1, -1) * (logits[:, 1] - logits[:, 0]).astype(np.float64)
    losses = np.logaddexp(0, -margins)
    return float(np.mean([losses[labels == label].mean() for label in (0, 1)]))


def _keep(run: Run, learner: Any, history: Sequence[Epoch]) -> None:
    """Keeps the epoch, which counts once the history names it, and only the last and the best checkpoint."""
    learner.save_weights(run.checkpoint(len(history)))
    write_json(run.history, [asdict(epoch) for epoch in history])
    needed = {run.checkpoint(len(history)), run.checkpoint(best_epoch(history))}
    for path in set(run.directory.glob("checkpoint-*")) - needed:
        path.unlink()


def _log(history: Sequence[Epoch]) -> None:
    for name, value in asdict(history[-1]).items():
        tf.summary.scalar(name, value, step=len(history))
    tf.summary.flush()
    print(
        f"epoch {len(history)}: "
        + ", ".join(f"{name} {value:.4f}" for name, value in asdict(history[-1]).items()),
        flush=True,
    )
