"""How much a network still tells apart when what it should look at, or should not, is taken away."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from service.model import Model
from service.records import Floats
from training.scorecard.sample import Sample, margins

CORNER = 0.2
"""Edge of what counts as a corner, as a share of the image's edges."""


def discrimination(model: Model, sample: Sample, class_index: int) -> dict[str, float]:
    """AUC, 0.5 or more, of the margin on images as they are and on images with parts taken away.

    `auc`: as they are. `without_breast`: the breast black. `corners`: the four corners alone. `silhouette`: the breast
    in its own mean grey. `without_surroundings`: everything outside the breast black, where markers are. Of a probe,
    telling the classes apart the wrong way round is telling them apart.
    """
    images, masks, labels = sample.images, sample.masks[..., None], sample.labels
    probes = {
        "without_breast": np.where(masks, 0, images),
        "corners": images * _corners(images),
        "silhouette": np.where(masks, _mean_grey(images, masks), images),
    }
    aucs = {
        name: _auc(labels, margins(model, probe, class_index)) for name, probe in probes.items()
    }
    return {
        "auc": _auc(labels, margins(model, images, class_index)),
        "without_surroundings": _auc(labels, margins(model, images * masks, class_index)),
        **{name: max(value, 1 - value) for name, value in aucs.items()},
    }


def repeatability(model: Model, sample: Sample, class_index: int) -> dict[str, float]:
    """The largest difference, in logits, between equal passes, and between a batch and its images one by one."""
    images = sample.images
    first, second = margins(model, images, class_index), margins(model, images, class_index)
    single = np.concatenate(
        [margins(model, images[[index]], class_index) for index in range(len(images))]
    )
    return {
        "repeated": float(np.abs(first - second).max()),
        "batched": float((np.abs(first - single) / (1 + np.abs(single))).max()),
    }


def insertion_gaps(figures: dict[str, list[float]]) -> dict[str, float | None]:
    """The mean insertion and deletion gap; None where every map was blank."""
    return {
        name: float(np.mean(figures[name])) if name in figures else None
        for name in ("insertion_gap", "deletion_gap")
    }


def _auc(labels: NDArray[np.int32], scores: NDArray[np.float64]) -> float:
    """0.5 for a network that has diverged: its scores tell nothing apart."""
    return float(roc_auc_score(labels, scores)) if np.isfinite(scores).all() else 0.5


def _corners(images: Floats) -> Floats:
    _, height, width, _ = images.shape
    rows, columns = round(CORNER * height), round(CORNER * width)
    kept = np.zeros((height, width, 1), np.float32)
    for vertical in (slice(None, rows), slice(-rows, None)):
        for horizontal in (slice(None, columns), slice(-columns, None)):
            kept[vertical, horizontal] = 1
    return kept


def _mean_grey(images: Floats, masks: NDArray[np.bool_]) -> Floats:
    inside = masks.astype(np.float32)
    axes = (1, 2, 3)
    mean = (images * inside).sum(axis=axes, keepdims=True) / inside.sum(
        axis=axes, keepdims=True
    ).clip(1)
    return np.asarray(mean, dtype=np.float32)
