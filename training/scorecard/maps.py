"""What a network's heatmaps and layers look like over many images, rather than on one."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.explanation import explain_layer
from service.model import Model
from service.records import Floats, Heatmap, MapState, Method
from training.scorecard.sample import Sample, gradients, in_batches

PAIRS = 500
_SEED = 0


def heatmaps(
    model: Model, sample: Sample, class_index: int
) -> tuple[list[Heatmap], list[dict[str, float]]]:
    """Grad-CAM of every image at the default layer, and its figures."""
    layer = model.manifest.layer(model.manifest.default_layer)
    found: list[tuple[Heatmap, dict[str, float]]] = []
    for batch in gradients(model, layer.name, sample.images, class_index):
        for maps, slopes in zip(batch.maps, batch.gradients, strict=True):
            subject = sample.subject(len(found))
            found.append(
                explain_layer(Method.GRAD_CAM, maps, slopes, layer, subject.mask, subject.to_source)
            )
    return [heatmap for heatmap, _ in found], [figures for _, figures in found]


def map_figures(
    maps: Sequence[Heatmap], figures: Sequence[dict[str, float]]
) -> dict[str, float | None]:
    """What the maps have in common.

    `blank`: share of blank maps. Of the others, None without any, `peak_in_breast`: share whose peak is in the breast;
    `stationary`: share whose peak is in the commonest cell; `similarity`: mean correlation of two images' maps.
    """
    shown = [heatmap for heatmap in maps if heatmap.state is MapState.OK]
    measured = [each for each in figures if "peak_in_breast" in each]
    peaks = Counter((heatmap.peak.row, heatmap.peak.column) for heatmap in shown if heatmap.peak)
    some = len(shown) > 1
    return {
        "blank": 1 - len(shown) / len(maps),
        "peak_in_breast": float(np.mean([each["peak_in_breast"] for each in measured]))
        if some
        else None,
        "stationary": peaks.most_common(1)[0][1] / len(shown) if some else None,
        "similarity": _similarity(np.stack([heatmap.values for heatmap in shown]))
        if some
        else None,
    }


def _similarity(maps: Floats) -> float:
    """The mean correlation of maps [N, h, w] over random pairs."""
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-30)
    rng = np.random.default_rng(_SEED)
    pairs = np.array([rng.choice(len(maps), 2, replace=False) for _ in range(PAIRS)])
    return float((flat[pairs[:, 0]] * flat[pairs[:, 1]]).sum(axis=1).mean())


def layer_figures(model: Model, sample: Sample) -> tuple[dict[str, float], float | None]:
    """The share of filters of each layer that are dark on every image, and the CKA of a middle and the deepest layer.

    The CKA is None for a network of one layer.
    """
    maxima: dict[str, list[Floats]] = {}
    means: dict[str, list[Floats]] = {}
    for batch in in_batches(sample.images):
        for name, maps in model.activations(batch).items():
            maxima.setdefault(name, []).append(maps.max(axis=(1, 2)))
            means.setdefault(name, []).append(maps.mean(axis=(1, 2)))
    dead = {
        name: float((np.concatenate(found) <= 0).all(axis=0).mean())
        for name, found in maxima.items()
    }
    names = list(means)
    if len(names) == 1:
        return dead, None
    middle, deepest = names[(len(names) - 1) // 2], names[-1]
    return dead, linear_cka(np.concatenate(means[middle]), np.concatenate(means[deepest]))


def linear_cka(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The linear CKA of two sets of features [N, d] of the same N images: 1 if one is a rotation of the other.

    Kornblith et al., "Similarity of Neural Network Representations Revisited", ICML 2019, section 3. 0 where either
    is constant or not finite.
    """
    x, y = (each.astype(np.float64) - each.mean(axis=0, dtype=np.float64) for each in (one, other))
    norm = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    return float(np.linalg.norm(y.T @ x) ** 2 / norm) if np.isfinite(norm) and norm > 0 else 0.0
