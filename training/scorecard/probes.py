"""Probes: how well a network still separates the classes when parts of the images are removed."""

import numpy as np
from numpy.typing import NDArray

from service.model import Model
from service.pipeline.class_explanation import margins_in_batches
from service.records import Floats
from training.evaluation.statistics import Values, aggregate
from training.scorecard.estimates import Estimate, either_way, separation
from training.scorecard.sample import Sample

CORNER = 0.2
"""Edge of a corner, as a share of the image's edges."""


def discrimination(
    model: Model, sample: Sample, whole: Values, class_index: int
) -> dict[str, Estimate]:
    """Return the AUC of the margin on whole images and on images with parts removed.

    `whole`: the margins of the whole images. `auc`: of these. `breast_auc`: of the mean margin of
    each breast's views. `without_breast`: the breast black. `corners`: only the four corners.
    `silhouette`: the breast in its own mean grey. `surroundings`: AUC lost with everything outside
    the breast black, where markers are.

    `without_breast`, `corners` and `silhouette` are 0.5 or more: an AUC below 0.5 also shows that
    the classes can be separated.
    """
    images = sample.images
    masks = sample.masks[..., None]
    labels = sample.labels
    patients = sample.patients

    # Whole images, and whole breasts.
    auc = separation(labels, whole, patients)
    breasts, breast_labels, breast_margins = aggregate(sample.breasts, labels, whole)
    breast_patients = [patient for patient, *_ in breasts]
    breast_auc = separation(breast_labels, breast_margins, breast_patients)

    # Parts of the images.
    probes = {
        "without_breast": np.where(masks, 0, images),
        "corners": images * _corners(images),
        "silhouette": np.where(masks, _mean_grey(images, masks), images),
    }
    parts = {
        name: either_way(labels, margins_in_batches(model, probe, class_index), patients)
        for name, probe in probes.items()
    }
    inside = separation(labels, margins_in_batches(model, images * masks, class_index), patients)

    lost = Estimate(auc.value - inside.value)
    return {"auc": auc, "breast_auc": breast_auc, **parts, "surroundings": lost}


def repeatability(model: Model, sample: Sample, class_index: int) -> dict[str, float]:
    """Return the largest differences of the margin between passes over the same images, in logits.

    `repeated`: between two equal passes. `batched`: between a batch and its images one by one.
    """
    images = sample.images
    first = margins_in_batches(model, images, class_index)
    second = margins_in_batches(model, images, class_index)
    single = np.concatenate(
        [margins_in_batches(model, images[[index]], class_index) for index in range(len(images))]
    )

    return {
        "repeated": float(np.abs(first - second).max()),
        "batched": float(np.abs(first - single).max()),
    }


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
