"""Test whether an explanation depends on the weights, made random layer by layer from the top.

Cascading randomisation is from Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018,
section 3. The structural similarity of maps as its measure is from Arun et al., "Assessing the
Trustworthiness of Saliency Maps for Localizing Abnormalities in Medical Imaging", Radiology:
Artificial Intelligence 3(6), 2021.
"""

from collections.abc import Sequence

import keras
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from service.records import Heatmap
from training.introspection.hooks import operations
from training.introspection.live_model import LiveModel
from training.scorecard.maps import heatmaps
from training.scorecard.sample import Sample

STAGES = 8
"""Maximum number of layers after which the maps are compared."""

WINDOW = 7
"""Edge of the window of the structural similarity, in cells."""

# Of the structural similarity: standard deviation of the window in cells, and the constants that
# keep its quotients from becoming unstable.
_SIGMA = 1.5
_C1 = 0.01**2
_C2 = 0.03**2

_SEED = 0


def cascade(model: LiveModel, sample: Sample, class_index: int) -> dict[str, float]:
    """Return the mean SSIM of Grad-CAM before and after randomisation, by layer.

    Each name is that of the layer down to which the weights are random. The maps are compared after
    at most eight layers with a kernel, from the top. The last one is the network's first layer with
    a kernel.
    """
    network = keras.models.clone_model(model.network)
    network.set_weights(model.network.get_weights())
    copy = LiveModel(network, model.manifest)
    trained, _ = heatmaps(model, sample, class_index)

    keras.utils.set_random_seed(_SEED)
    stages = stages_of(network)
    similarities = {}
    for name, layer in _weighted(network):
        randomise(layer)
        if name in stages:
            maps, _ = heatmaps(copy, sample, class_index)
            similarities[name] = similarity(trained, maps)

    return similarities


def stages_of(network: keras.Model) -> set[str]:
    """Return the layers after which the maps are compared.

    They are evenly spaced among those with a kernel, the first and the last included.
    """
    kernels = [name for name, layer in _weighted(network) if hasattr(layer, "kernel")]
    return {
        kernels[index] for index in np.linspace(0, len(kernels) - 1, STAGES).round().astype(int)
    }


def _weighted(network: keras.Model) -> list[tuple[str, keras.Layer]]:
    """Return the layers with weights by name, from the top down."""
    return [
        (name, layer)
        for name, layer in reversed(list(operations(network)))
        if getattr(layer, "weights", [])
    ]


def randomise(layer: keras.Layer) -> None:
    """Draw new weights for the layer from its initialisers.

    A kernel that is initialised with a constant would blank the map rather than make it random. It
    is drawn from Glorot's uniform distribution.
    """
    fresh = type(layer).from_config(layer.get_config())
    fresh.build_from_config(layer.get_build_config())
    weights = fresh.get_weights()

    if hasattr(layer, "kernel") and np.ptp(weights[0]) == 0:
        weights[0] = np.asarray(keras.initializers.GlorotUniform()(weights[0].shape))

    layer.set_weights(weights)


def similarity(some: Sequence[Heatmap], others: Sequence[Heatmap]) -> float:
    """Return the mean structural similarity of pairs of maps, each divided by its peak.

    Wang et al., "Image Quality Assessment", IEEE TIP 13, 2004, equation 13, for values up to 1. The
    window has 7 cells, or the map's shorter edge if that is less. It lies inside the map.
    """
    one = _scaled(some)
    other = _scaled(others)

    window = min(WINDOW, *one.shape[1:])
    mean_one = _blurred(one, window)
    mean_other = _blurred(other, window)
    product = mean_one * mean_other
    squares = mean_one**2 + mean_other**2

    covariance = _blurred(one * other, window) - product
    variances = _blurred(one**2 + other**2, window) - squares
    luminance = (2 * product + _C1) / (squares + _C1)
    structure = (2 * covariance + _C2) / (variances + _C2)
    return float((luminance * structure).mean())


def _blurred(maps: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the means of maps [N, h, w] in Gaussian windows that lie inside them."""
    weights = np.exp(-((np.arange(window) - (window - 1) / 2) ** 2) / (2 * _SIGMA**2))
    weights /= weights.sum()

    windows = sliding_window_view(maps, (window, window), axis=(1, 2))
    return np.asarray(windows @ weights @ weights)


def _scaled(maps: Sequence[Heatmap]) -> NDArray[np.float64]:
    """Return the maps [N, h, w], each divided by its peak."""
    scaled = [
        heatmap.values / np.float32(heatmap.peak.value) if heatmap.peak else heatmap.values
        for heatmap in maps
    ]
    return np.stack(scaled).astype(np.float64)
