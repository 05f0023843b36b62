"""What single images' figures are on a model's reference images, and what these look like to it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from tqdm import tqdm

from service import explanation
from service.explanation import METHODS
from service.geometry import IDENTITY
from service.model import Model, Ranges, Reference
from service.pipeline.class_explanation import explain_class
from service.records import ConvLayer, Domain, Floats, Method, ReferenceRange
from training.scorecard.sample import Sample, gradients, in_batches

LIMIT = 99
"""Percentile of the reference images' distance from their mean beyond which an image is out of the domain."""

MIN_IMAGES = 20
"""Images that a range needs at least."""

Figures = dict[str, list[float]]


def find_domain(model: Model, fitted: Floats, reference: Floats) -> Domain:
    """The domain: mean and covariance from the images the network was fitted to, the limit from reference images.

    The covariance is shrunk towards a multiple of the identity, as there are not many more images than features.
    Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", JMVA 88, 2004.
    """
    known = _features(model, fitted)
    spread = known.std(axis=0)
    scale = 1 / np.where(
        spread > 1e-6 * spread.max(), spread, spread.max() or 1.0
    )  # a dark filter says nothing
    estimate = LedoitWolf().fit(known * scale)
    values, vectors = np.linalg.eigh(estimate.covariance_)
    whitening = scale[:, None] * vectors / np.sqrt(values.clip(1e-12))
    domain = Domain(
        known.mean(axis=0).astype(np.float32), whitening.astype(np.float32), limit=np.inf
    )
    distances = [explanation.distance(each, domain) for each in _features(model, reference)]
    return Domain(domain.mean, domain.whitening, float(np.percentile(distances, LIMIT)))


def find_reference(
    model: Model, layers: Sequence[ConvLayer], sample: Sample, class_index: int, perturbed: int
) -> Reference:
    """The ranges of every figure of these layers by method and decision, over images that were rightly decided.

    Of the figures that take many passes they are measured for Grad-CAM at the default layer alone, on `perturbed`
    images of either decision.
    """
    manifest = model.manifest
    decided = decide(model, sample)
    groups = [
        sample.only(decided & (sample.labels == 1)),
        sample.only(~decided & (sample.labels == 0)),
    ]
    ranges: dict[str, dict[Method, Ranges]] = {}
    for layer in tqdm(layers, desc="reference ranges", unit="layer", leave=False):
        found = [_layer_figures(model, group, layer, class_index) for group in groups]
        if layer.name == manifest.default_layer:
            for figures, group in zip(found, groups, strict=True):
                figures[Method.GRAD_CAM] |= perturbed_figures(model, group, class_index, perturbed)
        positive, negative = found
        ranges[layer.name] = {
            method: Ranges(positive=_ranges(positive[method]), negative=_ranges(negative[method]))
            for method in METHODS
        }
    return Reference(images=sum(map(len, groups)), ranges=ranges)


def decide(model: Model, sample: Sample) -> NDArray[np.bool_]:
    """Which images the model decides to be positive."""
    index = model.manifest.classes.index(model.manifest.positive_class)
    found = [model.predict(batch).probabilities[:, index] for batch in in_batches(sample.images)]
    return np.asarray(np.concatenate(found) >= model.manifest.threshold)


def perturbed_figures(model: Model, sample: Sample, class_index: int, most: int) -> Figures:
    """Stability, insertion and deletion of Grad-CAM at the default layer on the first images."""
    figures: Figures = {}
    for index in tqdm(
        range(min(most, len(sample))), desc="perturbed images", unit="image", leave=False
    ):
        subject = sample.subject(index)
        found = explain_class(
            model, subject, Method.GRAD_CAM, model.manifest.default_layer, class_index, full=True
        )
        for name in ("stability", "insertion_gap", "deletion_gap"):
            if name in found.figures:
                figures.setdefault(name, []).append(found.figures[name])
    return figures


def _layer_figures(
    model: Model, sample: Sample, layer: ConvLayer, class_index: int
) -> dict[Method, Figures]:
    figures: dict[Method, Figures] = {method: {} for method in METHODS}
    position = 0
    for found in gradients(model, layer.name, sample.images, class_index):
        for maps, slopes in zip(found.maps, found.gradients, strict=True):
            mask = sample.masks[position]
            position += 1
            shared = explanation.layer_figures(maps, slopes)
            for method in METHODS:
                heat = explanation.heatmap(method, maps, slopes, IDENTITY)
                each = explanation.heat_figures(heat, mask, layer.receptive_field) | shared
                for name, value in each.items():
                    figures[method].setdefault(name, []).append(value)
    return figures


def _ranges(figures: Figures) -> dict[str, ReferenceRange]:
    return {
        name: ReferenceRange(*(float(value) for value in np.percentile(values, (1, 99))))
        for name, values in figures.items()
        if len(values) >= MIN_IMAGES
    }


def _features(model: Model, images: Floats) -> np.ndarray:
    found = [model.predict(batch).features for batch in in_batches(images)]
    # A network that has diverged has no features to compare; that it has diverged is told elsewhere.
    return np.nan_to_num(np.concatenate(found).astype(np.float64), posinf=0, neginf=0)
