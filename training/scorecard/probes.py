"""Probes: how well a network still separates the classes when parts of the images are removed."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from service.model import Model
from service.records import Floats
from training.scorecard.sample import Sample, margins

CORNER = 0.2
"""Edge of a corner, as a share of the image's edges."""


def discrimination(model: Model, sample: Sample, class_index: int) -> dict[str, float]:
    """Return the AUC of the margin on whole images and on images with parts removed.

    `auc`: whole images. `without_breast`: the breast black. `corners`: only the four corners.
    `silhouette`: the breast in its own mean grey. `without_surroundings`: everything outside the
    breast black, where markers are.

    `without_breast`, `corners` and `silhouette` are 0.5 or more: an AUC below 0.5 also shows that
    the classes can be separated.
    """
    images = sample.images
    masks = sample.masks[..., None]
    labels = sample.labels

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
    """Return the largest differences of the margin between passes over the same images.

    `repeated`: between two equal passes, in logits. `batched`: between a batch and its images one
    by one, divided by 1 + the margin's absolute value.
    """
    images = sample.images
    first = margins(model, images, class_index)
    second = margins(model, images, class_index)
    single = np.concatenate(
        [margins(model, images[[index]], class_index) for index in range(len(images))]
    )

    return {
        "repeated": float(np.abs(first - second).max()),
        "batched": float((np.abs(first - single) / (1 + np.abs(single))).max()),
    }


def insertion_gaps(figures: dict[str, list[float]]) -> dict[str, float | None]:
    """Return the mean insertion and deletion gap. Both are None if every map was blank."""
    return {
        name: float(np.mean(figures[name])) if name in figures else None
        for name in ("insertion_gap", "deletion_gap")
    }


def _auc(labels: NDArray[np.int32], scores: NDArray[np.float64]) -> float:
    """Return the AUC. It is 0.5 for a network that has diverged, whose scores are not finite."""
    return float(roc_auc_score(labels, scores)) if np.isfinite(scores).all() else 0.5


def _corners(images: Floats) -> Floats:
    """Return a mask [height, width, 1] that is 1 in the four corners and 0 elsewhere."""
    _, height, width, _ = images.shape
    rows = round(CORNER * height)
    columns = round(CORNER * width)

    kept = np.zeros((height, width, 1), np.float32)
    for vertical in (slice(None, rows), slice(-rows, None)):
        for horizontal in (slice(None, columns), slice(-columns, None)):
            kept[vertical, horizontal] = 1

    return kept


def _mean_grey(images: Floats, masks: NDArray[np.bool_]) -> Floats:
    """Return each image's mean over its breast, [N, 1, 1, 1]."""
    inside = masks.astype(np.float32)
    axes = (1, 2, 3)
    total = (images * inside).sum(axis=axes, keepdims=True)
    pixels = inside.sum(axis=axes, keepdims=True).clip(1)

    return np.asarray(total / pixels, dtype=np.float32)
