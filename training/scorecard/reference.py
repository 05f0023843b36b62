"""Reference ranges of single images' figures, and the domain of the images a model knows."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.covariance import LedoitWolf

from service import explanation
from service.explanation import METHODS
from service.geometry import IDENTITY
from service.model import Model, Ranges
from service.pipeline.class_explanation import explain_class
from service.pipeline.passes import in_batches
from service.records import ConvLayer, Domain, Floats, Method, ReferenceRange
from training.scorecard.sample import Sample, gradients

MIN_IMAGES = 20
"""Minimum number of images for a reference range."""

BEYOND = 0.01
"""Share of further images that is expected beyond either end of a reference range."""

PEAK = "peak"
"""Name of a map's raw peak, 0 if it is blank, among its figures. It has no reference range."""

Figures = dict[str, list[float]]
"""Values of each figure over images."""


def find_domain(model: Model, fitted: Iterable[Floats], reference: Iterable[Floats]) -> Domain:
    """Return the domain of a model.

    Mean and covariance come from `fitted`, images that the network was fitted to. The limit is the
    upper end of the range of the `reference` images' distances. The covariance is shrunk towards a
    multiple of the identity, because there are not many more images than features. Ledoit and Wolf,
    "A well-conditioned estimator for large-dimensional covariance matrices", JMVA 88, 2004.
    """
    known = _features(model, fitted)

    # A dark filter says nothing, so its feature is not scaled up to the others.
    spread = known.std(axis=0)
    scale = 1 / np.where(spread > 1e-6 * spread.max(), spread, spread.max() or 1.0)

    estimate = LedoitWolf().fit(known * scale)
    values, vectors = np.linalg.eigh(estimate.covariance_)
    whitening = scale[:, None] * vectors / np.sqrt(values.clip(1e-12))
    domain = Domain(
        known.mean(axis=0).astype(np.float32), whitening.astype(np.float32), limit=np.inf
    )

    distances = [explanation.distance(features, domain) for features in _features(model, reference)]
    return replace(domain, limit=find_range(distances).high)


def layer_reference(
    model: Model,
    layer: ConvLayer,
    groups: Sequence[Sample],
    perturbed: Sequence[Figures],
    class_index: int,
) -> tuple[dict[Method, Ranges], dict[Method, float]]:
    """Return the ranges of each figure at a layer by method and decision, and the reference peaks.

    `groups`: the rightly positive and the rightly negative images. `perturbed`: figures of some of
    either, which need many passes. They are of Grad-CAM at the default layer.
    """
    measured = [_layer_figures(model, group, layer, class_index) for group in groups]
    if layer.name == model.manifest.default_layer:
        for figures, many_passes in zip(measured, perturbed, strict=True):
            figures[Method.GRAD_CAM] |= many_passes

    positive, negative = measured
    ranges = {
        method: Ranges(positive=_ranges(positive[method]), negative=_ranges(negative[method]))
        for method in METHODS
    }
    return ranges, reference_peaks(positive, negative)


def reference_peaks(
    positive: dict[Method, Figures], negative: dict[Method, Figures]
) -> dict[Method, float]:
    """Return the median raw peak of positive images by method.

    A method is left out if there are fewer than `MIN_IMAGES` of either decision, or if the median
    of the negative images is as high: there, the strength of a map does not tell the classes apart.
    """
    peaks: dict[Method, float] = {}
    for method in METHODS:
        raw = [figures[method].get(PEAK, []) for figures in (positive, negative)]
        if min(map(len, raw)) < MIN_IMAGES:
            continue

        median, median_of_negative = (float(np.median(values)) for values in raw)
        if median > median_of_negative:
            peaks[method] = median

    return peaks


def gather(images: Sequence[dict[str, float]]) -> Figures:
    """Return the values of each figure over images."""
    figures: Figures = {}
    for image in images:
        for name, value in image.items():
            figures.setdefault(name, []).append(value)
    return figures


def decide(model: Model, sample: Sample) -> NDArray[np.bool_]:
    """Return whether the model decides each image to be positive."""
    index = model.manifest.classes.index(model.manifest.positive_class)
    probabilities = [
        model.predict(batch).probabilities[:, index]
        for batch in in_batches(model.manifest, sample.images)
    ]
    return np.asarray(np.concatenate(probabilities) >= model.manifest.threshold)


def perturbed_figures(
    model: Model, sample: Sample, index: int, class_index: int
) -> dict[str, float]:
    """Return stability, insertion and deletion of one image, none for a blank map.

    They are measured for Grad-CAM at the default layer.
    """
    evidence = explain_class(
        model,
        sample.subject(index),
        Method.GRAD_CAM,
        model.manifest.default_layer,
        class_index,
        full=True,
    )
    return {
        name: evidence.figures[name]
        for name in ("stability", "insertion_gap", "deletion_gap")
        if name in evidence.figures
    }


def _layer_figures(
    model: Model, sample: Sample, layer: ConvLayer, class_index: int
) -> dict[Method, Figures]:
    """Return the figures of each image's maps at a layer, by method."""
    figures: dict[Method, Figures] = {method: {} for method in METHODS}
    position = 0
    for batch in gradients(model, layer.name, sample.images, class_index):
        for maps, slopes in zip(batch.maps, batch.gradients, strict=True):
            mask = sample.mask(position)
            position += 1

            shared = explanation.layer_figures(maps, slopes)
            for method in METHODS:
                heat = explanation.heatmap(method, maps, slopes, IDENTITY)
                measured = explanation.heat_figures(heat, mask, layer.receptive_field) | shared
                measured[PEAK] = float(heat.values.max())
                for name, value in measured.items():
                    figures[method].setdefault(name, []).append(value)

    return figures


def _ranges(figures: Figures) -> dict[str, ReferenceRange]:
    """Return the range of each figure that has enough images."""
    return {
        name: find_range(values)
        for name, values in figures.items()
        if name != PEAK and len(values) >= MIN_IMAGES
    }


def find_range(values: Sequence[float]) -> ReferenceRange:
    """Return the range beyond which 1 % of further images are expected on either side.

    Of n images, n + 1 intervals between them are equally likely to hold a further one. With fewer
    than 99 images, 1 % lies beyond the extremes: they are moved away from the median by the ratio
    of the quantiles of a normal distribution.
    """
    beyond_extreme = 1 / (len(values) + 1)
    if beyond_extreme <= BEYOND:
        percentiles = (100 * BEYOND, 100 - 100 * BEYOND)
        low, high = np.percentile(values, percentiles, method="weibull")
        return ReferenceRange(float(low), float(high))

    median = float(np.median(values))
    stretch = float(norm.ppf(BEYOND) / norm.ppf(beyond_extreme))
    return ReferenceRange(
        median + stretch * (min(values) - median), median + stretch * (max(values) - median)
    )


def _features(model: Model, images: Iterable[Floats]) -> np.ndarray:
    """Return the features [N, d] of the images, float64 and finite."""
    features = [model.predict(batch).features for batch in in_batches(model.manifest, images)]
    # A network that has diverged has no features to compare. Other figures show that it has.
    return np.nan_to_num(np.concatenate(features).astype(np.float64), posinf=0, neginf=0)
