"""Whether the explanation depends on what the network learned: its weights made random, layer by layer from the top.

Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018, section 3, cascading randomisation; judged by the
structural similarity of maps as in Arun et al., "Assessing the Trustworthiness of Saliency Maps for Localizing
Abnormalities in Medical Imaging", Radiology: Artificial Intelligence 3(6), 2021.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from service.records import Floats, Heatmap
from training.introspection.hooks import operations
from training.introspection.live_model import LiveModel
from training.scorecard.maps import heatmaps
from training.scorecard.sample import Sample

STAGES = 8
WINDOW = 7
_SEED = 0


def cascade(model: LiveModel, sample: Sample, class_index: int) -> dict[str, float]:
    """The mean SSIM of Grad-CAM with that of the trained network, by the layer down to which weights are random.

    From the top, after at most eight layers with a kernel, the last of them the first of the network.
    """
    network = keras.models.clone_model(model.network)
    network.set_weights(model.network.get_weights())
    trained, _ = heatmaps(model, sample, class_index)
    keras.utils.set_random_seed(_SEED)
    weighted = [
        (name, layer)
        for name, layer in reversed(list(operations(network)))
        if getattr(layer, "weights", [])
    ]
    kernels = [name for name, layer in weighted if hasattr(layer, "kernel")]
    stages = {
        kernels[index] for index in np.linspace(0, len(kernels) - 1, STAGES).round().astype(int)
    }
    similarities = {}
    for name, layer in weighted:
        randomise(layer)
        if name in stages:
            maps, _ = heatmaps(LiveModel(network, model.manifest), sample, class_index)
            similarities[name] = similarity(trained, maps)
    return similarities


def randomise(layer: keras.Layer) -> None:
    """Draws the layer's weights anew from its own initialisers.

    A kernel that starts from a constant would blank the map rather than make it random: it is drawn from Glorot's.
    """
    fresh = type(layer).from_config(layer.get_config())
    fresh.build_from_config(layer.get_build_config())
    weights = fresh.get_weights()
    if hasattr(layer, "kernel") and np.ptp(weights[0]) == 0:
        weights[0] = np.asarray(keras.initializers.GlorotUniform()(weights[0].shape))
    layer.set_weights(weights)


def similarity(some: Sequence[Heatmap], others: Sequence[Heatmap]) -> float:
    """The mean structural similarity of pairs of maps, each divided by its peak.

    Wang et al., "Image Quality Assessment", IEEE TIP 13, 2004, with a window of 7 cells, or of the map if that is less.
    """
    one, other = (
        np.stack([_scaled(heatmap) for heatmap in maps])[..., None] for maps in (some, others)
    )
    window = min(WINDOW, *one.shape[1:3])
    return float(tf.reduce_mean(tf.image.ssim(one, other, max_val=1.0, filter_size=window)))


def _scaled(heatmap: Heatmap) -> Floats:
    return heatmap.values / np.float32(heatmap.peak.value) if heatmap.peak else heatmap.values
