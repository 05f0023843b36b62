"""Figures of a network's heatmaps and layers over many images, rather than one."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.explanation import explain_layer
from service.model import Model
from service.pipeline.passes import in_batches
from service.records import Floats, Heatmap, MapState, Method
from training.scorecard.estimates import Estimate, share
from training.scorecard.sample import Sample, gradients

PAIRS = 500
"""Number of random pairs of maps that are compared."""

_SEED = 0


def heatmaps(
    model: Model, sample: Sample, class_index: int
) -> tuple[list[Heatmap], list[dict[str, float]]]:
    """Return each image's Grad-CAM at the default layer, and the figures of each map."""
    layer = model.manifest.layer(model.manifest.default_layer)
    maps: list[Heatmap] = []
    figures: list[dict[str, float]] = []

    for batch in gradients(model, layer.name, sample.images, class_index):
        for activations, slopes in zip(batch.maps, batch.gradients, strict=True):
            subject = sample.subject(len(maps))
            heatmap, measured = explain_layer(
                Method.GRAD_CAM, activations, slopes, layer, subject.mask, subject.to_source
            )
            maps.append(heatmap)
            figures.append(measured)

    return maps, figures


def map_figures(
    maps: Sequence[Heatmap], figures: Sequence[dict[str, float]]
) -> dict[str, Estimate | None]:
    """Return figures of all the maps together.

    `blank`: share of blank maps, None without maps. The other figures leave blank maps out, and are
    None if fewer than two are left. `peak_in_breast`: share whose peak is in the breast.
    `stationary`: share whose peak is in the commonest cell. `similarity`: mean correlation of two
    images' maps.
    """
    shown = [heatmap for heatmap in maps if heatmap.state is MapState.OK]
    blank = share(len(maps) - len(shown), len(maps))
    if len(shown) < 2:  # noqa: PLR2004 - a pair
        return {"blank": blank, "peak_in_breast": None, "stationary": None, "similarity": None}

    in_breast = [values["peak_in_breast"] for values in figures if "peak_in_breast" in values]
    peaks = Counter((heatmap.peak.row, heatmap.peak.column) for heatmap in shown if heatmap.peak)
    return {
        "blank": blank,
        "peak_in_breast": share(int(sum(in_breast)), len(in_breast)),
        "stationary": share(peaks.most_common(1)[0][1], len(shown)),
        "similarity": Estimate(_similarity(np.stack([heatmap.values for heatmap in shown]))),
    }


def _similarity(maps: Floats) -> float:
    """Return the mean correlation of maps [N, h, w] over random pairs."""
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-30)

    rng = np.random.default_rng(_SEED)
    pairs = np.array([rng.choice(len(maps), 2, replace=False) for _ in range(PAIRS)])
    return float((flat[pairs[:, 0]] * flat[pairs[:, 1]]).sum(axis=1).mean())


def layer_figures(model: Model, sample: Sample) -> tuple[dict[str, float], float | None]:
    """Return each layer's share of dead filters, and the CKA of a middle and the deepest layer.

    A dead filter is dark on every image. The CKA is None for a network of one layer.
    """
    maxima: dict[str, list[Floats]] = {}
    means: dict[str, list[Floats]] = {}
    for batch in in_batches(model.manifest, sample.images):
        for name, maps in model.activations(batch).items():
            maxima.setdefault(name, []).append(maps.max(axis=(1, 2)))
            means.setdefault(name, []).append(maps.mean(axis=(1, 2)))

    dead = {
        name: float((np.concatenate(values) <= 0).all(axis=0).mean())
        for name, values in maxima.items()
    }

    names = list(means)
    if len(names) == 1:
        return dead, None

    middle = np.concatenate(means[names[(len(names) - 1) // 2]])
    deepest = np.concatenate(means[names[-1]])
    return dead, linear_cka(middle, deepest)


def linear_cka(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the linear CKA of two sets of features [N, d] of the same N images.

    It is 1 if one set is a rotation of the other, and 0 if either is constant or not finite.
    Kornblith et al., "Similarity of Neural Network Representations Revisited", ICML 2019,
    section 3.
    """
    x = _centred(one)
    y = _centred(other)

    norm = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    return float(np.linalg.norm(y.T @ x) ** 2 / norm) if np.isfinite(norm) and norm > 0 else 0.0


def _centred(features: NDArray[np.float32]) -> NDArray[np.float64]:
    mean = features.mean(axis=0, dtype=np.float64)
    return np.asarray(features.astype(np.float64) - mean)
