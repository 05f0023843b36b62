"""Compares heatmaps of deep backbones with those of tf-keras-vis.

    python -m benchmarks.oracle

The weights are random. The layers in which tf-keras-vis takes its maps are named by hand: the
activation, sum or normalisation that the rest of the network reads. Ours are named by the
convolution, and found by following it. The table shows the largest difference of the maps of
Grad-CAM and LayerCAM, as a share of their peak, in double and in single precision.
"""

import argparse
import os
import time
import warnings
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from service import explanation
from service.records import ConvLayer, Floats, Method
from training.introspection.receptive_field import convolutional_layers
from training.introspection.signatures import Explained

with warnings.catch_warnings():
    # tf-keras-vis imports names that SciPy has moved.
    warnings.simplefilter("ignore")
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.layercam import Layercam
    from tf_keras_vis.utils.model_modifiers import ReplaceToLinear

EXPLAINERS = {Method.GRAD_CAM: Gradcam, Method.LAYER_CAM: Layercam}
EDGE = 96
# By backbone: the convolution, and the layer whose output the network reads in its place.
BACKBONES = {
    "MobileNetV2": {
        "block_6_expand": "block_6_expand_relu",
        "block_8_project": "block_8_add",
        "Conv_1": "out_relu",
    },
    "EfficientNetV2B0": {
        "block4a_expand_conv": "block4a_expand_activation",
        "block5d_project_conv": "block5d_add",
        "top_conv": "top_activation",
    },
    "ResNet50": {
        "conv3_block1_2_conv": "conv3_block1_2_relu",
        "conv4_block1_0_conv": "conv4_block1_out",
        "conv5_block3_3_conv": "conv5_block3_out",
    },
    "DenseNet121": {
        "conv4_block12_1_conv": "conv4_block12_1_relu",
        "conv4_block12_2_conv": "conv4_block12_concat",
        "conv5_block16_2_conv": "relu",
    },
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=2, help="images for each layer (default 2)")
    options = parser.parse_args()

    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")
    print(f"{'backbone':<18}{'layer':<22}{'read':<28}{'method':<12}{'double':<9}single")
    images = np.random.default_rng(3).random((options.images, EDGE, EDGE, 1))
    for name, taken in BACKBONES.items():
        network = backbone(name)
        layers = {layer.name: layer for layer in convolutional_layers(network, EDGE, EDGE)}
        precisions = (in_double_precision(network), images), (network, images.astype(np.float32))
        for layer, read in taken.items():
            for method in EXPLAINERS:
                differences = [
                    largest_difference(
                        ours(model, layers[layer], pixels, method),
                        keras_vis(model, read, pixels, method),
                    )
                    for model, pixels in precisions
                ]
                figures = "  ".join(f"{difference:.1e}" for difference in differences)
                print(f"{name:<18}{layer:<22}{read:<28}{method:<12}{figures}", flush=True)


def backbone(name: str) -> Any:
    """Return the backbone of Keras with random weights and two classes.

    Random weights leave the maps of a deep network almost constant. Its normalisations get the
    statistics of random images, as training would have given them.
    """
    keras.utils.set_random_seed(1)
    build = getattr(keras.applications, name)
    network = build(weights=None, input_shape=(EDGE, EDGE, 3), classes=2)

    batch = np.random.default_rng(2).random((16, EDGE, EDGE, 3), np.float32)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    network(batch, training=True)
    return network


def in_double_precision(network: Any) -> Any:
    """Return the network in float64."""
    double = keras.models.clone_model(
        network,
        clone_function=lambda layer: type(layer).from_config(
            layer.get_config() | {"dtype": "float64"}
        ),
    )
    double.set_weights(network.get_weights())
    return double


def ours(network: Any, layer: ConvLayer, images: NDArray[Any], method: Method) -> Floats:
    """Return our maps [N, h, w] of the second class, those of Grad-CAM with their sign."""
    taps = {layer.name: layer.tap}
    gradcam = Explained(network, taps, EDGE, EDGE, 1.0, (layer.name,)).gradcam(layer.name)

    outputs = gradcam(tf.constant(images), tf.ones(len(images), tf.int32))
    pairs = zip(outputs["maps"].numpy(), outputs["gradients"].numpy(), strict=True)
    maps = np.stack([explanation.signed_map(method, *pair) for pair in pairs])
    return maps if method is Method.GRAD_CAM else maps.clip(0)


def keras_vis(network: Any, read: str, images: NDArray[Any], method: Method) -> Floats:
    """Return the maps [N, h, w] of tf-keras-vis at the layer `read`, as `ours` does."""
    # A map without a positive part would compare nothing.
    signed = {"activation_modifier": None} if method is Method.GRAD_CAM else {}
    explainer = EXPLAINERS[method](network, model_modifier=ReplaceToLinear(), clone=True)
    maps = explainer(
        lambda logits: logits[:, 1] - logits[:, 0],
        np.repeat(images, 3, axis=-1),
        penultimate_layer=read,
        seek_penultimate_conv_layer=False,
        expand_cam=False,
        normalize_cam=False,
        **signed,
    )
    return np.asarray(maps)


def largest_difference(one: Floats, other: Floats) -> float:
    """Return the largest difference of two sets of maps [N, h, w], as a share of each map's peak.

    NaN if a map is zero.
    """
    peaks = np.abs(other).max(axis=(1, 2), keepdims=True)
    shares = np.divide(np.abs(one - other), peaks, out=np.full_like(one, np.nan), where=peaks > 0)
    return float(shares.max())


if __name__ == "__main__":
    main()
