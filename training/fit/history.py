"""Figures of the epochs of a run, and the choice of the best one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from service.records import Floats
from training.data.table import Record
from training.fit.run import Run, read_json
from training.training_config import Training


@dataclass(frozen=True, slots=True)
class Epoch:
    """Figures of one epoch.

    `train_loss`: mean over the batches. `validation_loss`: loss of the validation images, balanced
    by class. `validation_breast_auc`: AUC of the validation part's breasts by the mean margin of
    their images, None in runs of earlier versions or if all breasts are of one class.
    """

    train_loss: float
    validation_loss: float
    validation_auc: float
    validation_breast_auc: float | None = None


def read_history(run: Run) -> list[Epoch]:
    """Read the figures of the complete epochs."""
    if not run.history.exists():
        return []
    return [Epoch(**figures) for figures in read_json(run.history)]


def best_epoch(history: Sequence[Epoch], monitor: str = "loss") -> int:
    """Return the first epoch with the best value of the monitored figure, counted from 1.

    It is the last one if the monitor is "last".
    """
    if monitor == "last":
        return len(history)

    values = [_to_minimise(epoch, monitor) for epoch in history]
    return 1 + min(range(len(values)), key=values.__getitem__)


def is_finished(history: Sequence[Epoch], training: Training) -> bool:
    """Return whether the max. number of epochs is reached or the patience is used up."""
    if not history:
        return False

    epochs_since_best = len(history) - best_epoch(history, training.monitor)
    return len(history) >= training.epochs or epochs_since_best >= training.patience


def measure_epoch(losses: Sequence[float], records: Sequence[Record], logits: Floats) -> Epoch:
    """Return the figures of an epoch from the losses of its batches and the validation logits."""
    labels = np.array([record.cancer for record in records], np.int32)
    margins = logits[:, 1].astype(np.float64) - logits[:, 0]

    return Epoch(
        train_loss=float(np.mean(losses)),
        validation_loss=balanced_loss(labels, logits),
        validation_auc=float(roc_auc_score(labels, margins)),
        validation_breast_auc=breast_auc(records, margins),
    )


def breast_auc(records: Sequence[Record], margins: NDArray[np.float64]) -> float | None:
    """Return the AUC of breasts by the mean margin of their images, None for a single class."""
    members: dict[object, list[int]] = {}
    for index, record in enumerate(records):
        members.setdefault(record.breast, []).append(index)

    labels = [any(records[index].cancer for index in views) for views in members.values()]
    if len(set(labels)) == 1:
        return None
    return float(roc_auc_score(labels, [margins[views].mean() for views in members.values()]))


def balanced_loss(labels: NDArray[np.int32], logits: Floats) -> float:
    """Return the cross-entropy in nats as the mean of the two classes' means.

    Training sees balanced classes, so the validation loss weights them equally.
    """
    margins = np.where(labels == 1, 1, -1) * (logits[:, 1] - logits[:, 0]).astype(np.float64)
    losses = np.logaddexp(0, -margins)

    return float(np.mean([losses[labels == label].mean() for label in (0, 1)]))


def _to_minimise(epoch: Epoch, monitor: str) -> float:
    """Return the monitored figure of an epoch, as one that is better if it is lower."""
    if monitor == "loss":
        return epoch.validation_loss
    auc = epoch.validation_auc if monitor == "auc" else epoch.validation_breast_auc

    # Without breasts of both classes, no epoch is better than another.
    return -(auc or 0.0)
