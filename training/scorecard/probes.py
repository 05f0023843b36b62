"""Probes: how well a network still separates the classes when parts of the images are removed."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from service.model import Model
from service.pipeline.class_explanation import margins_in_batches
from service.records import Floats, Mask
from training.evaluation.statistics import Values, aggregate
from training.scorecard.estimates import Estimate, either_way, separation
from training.scorecard.sample import Sample

CORNER = 0.2
"""Edge of a corner, as a share of the image's edges."""

_Change = Callable[[Floats, Mask], Floats]
"""Changes an image, given its breast mask. Both are [height, width, 1]."""


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
    labels = sample.labels
    patients = sample.patients

    # Whole images, and whole breasts.
    auc = separation(labels, whole, patients)
    breasts, breast_labels, breast_margins = aggregate(sample.breasts, labels, whole)
    breast_patients = [patient for patient, *_ in breasts]
    breast_auc = separation(breast_labels, breast_margins, breast_patients)

    # Parts of the images.
    margins = {
        name: margins_in_batches(model, _changed(sample, change), class_index)
        for name, change in _CHANGES.items()
    }
    parts = {
        name: either_way(labels, margins[name], patients)
        for name in ("without_breast", "corners", "silhouette")
    }
    inside = separation(labels, margins["inside"], patients)

    lost = Estimate(auc.value - inside.value)
    return {"auc": auc, "breast_auc": breast_auc, **parts, "surroundings": lost}


def repeatability(model: Model, sample: Sample, class_index: int) -> dict[str, float]:
    """Return the largest differences of the margin between passes over the same images, in logits.

    `repeated`: between two equal passes. `batched`: between a batch and its images one by one.
    """
    first = margins_in_batches(model, sample.images, class_index)
    second = margins_in_batches(model, sample.images, class_index)
    single = np.concatenate(
        [margins_in_batches(model, [image], class_index) for image in sample.images]
    )

    return {
        "repeated": float(np.abs(first - second).max()),
        "batched": float(np.abs(first - single).max()),
    }


def _changed(sample: Sample, change: _Change) -> Iterator[Floats]:
    """Yield the images of a sample with that change."""
    for index in range(len(sample)):
        yield change(sample.image(index), sample.mask(index)[..., None])


def _without_breast(image: Floats, mask: Mask) -> Floats:
    return np.where(mask, 0, image)


def _corners(image: Floats, mask: Mask) -> Floats:  # noqa: ARG001 - a change like the others
    """Return the image with black everywhere but in the four corners."""
    height, width, _ = image.shape
    rows = round(CORNER * height)
    columns = round(CORNER * width)

    kept = np.zeros_like(image)
    for vertical in (slice(None, rows), slice(-rows, None)):
        for horizontal in (slice(None, columns), slice(-columns, None)):
            kept[vertical, horizontal] = image[vertical, horizontal]

    return kept


def _silhouette(image: Floats, mask: Mask) -> Floats:
    """Return the image with the breast in its own mean grey."""
    inside = mask.astype(np.float32)
    mean = (image * inside).sum() / inside.sum().clip(1)
    return np.where(mask, mean, image)


def _inside(image: Floats, mask: Mask) -> Floats:
    return image * mask


_CHANGES: Mapping[str, _Change] = {
    "without_breast": _without_breast,
    "corners": _corners,
    "silhouette": _silhouette,
    "inside": _inside,
}
