"""EfficientNet-Lite0 without its classifier: inverted bottlenecks with ReLU6, without gates.

Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, ICML 2019. The
Lite networks leave out squeeze-and-excitation, and have ReLU6 in place of Swish.
"""

from typing import Any, NamedTuple

import keras

# Scale and offset of the input: the first weights were trained on (255 x - 127) / 128.
_SCALE = 255 / 128
_OFFSET = -127 / 128

_EPSILON = 1e-3  # of the normalisation that the first weights were trained with

# Momentum of the running mean and variance over batches. The images of an experiment differ from
# the photographs that the first weights come from. With the 0.99 of the published network, the
# validation of the first epochs would still meet the photographs' mean and variance.
_MOMENTUM = 0.9

_STEM_FILTERS = 32
_HEAD_FILTERS = 1280


class Block(NamedTuple):
    """Inverted bottleneck: its name, and the sizes of its three convolutions.

    The first convolution makes `expansion` times as many channels. It is left out if that is 1. The
    second one has a square kernel for each channel, with these strides. The third one makes
    `filters` channels.
    """

    name: str
    kernel: int
    strides: int
    expansion: int
    filters: int


# Repeats, kernel, strides of the first block, expansion and filters of each stage.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)

BLOCKS = tuple(
    Block(f"block_{stage}_{repeat}", kernel, strides if repeat == 0 else 1, expansion, filters)
    for stage, (repeats, kernel, strides, expansion, filters) in enumerate(_STAGES)
    for repeat in range(repeats)
)


def build_lite0(height: int | None, width: int | None) -> keras.Model:
    """Build the network with random weights.

    It maps grey images [N, height, width, 1] in [0, 1] to maps [N, height / 32, width / 32, 1280],
    where sizes are rounded up. A size of None takes any image.
    """
    images = keras.Input((height, width, 1), name="images")
    return keras.Model(images, lite0_maps(images), name="efficientnet-lite0")


def lite0_maps(images: Any) -> Any:
    """Return the last maps of a symbolic tensor of images in [0, 1], of any number of channels."""
    signal = keras.layers.Rescaling(_SCALE, _OFFSET, name="scale")(images)
    stem = keras.layers.Conv2D(
        _STEM_FILTERS, 3, strides=2, padding="same", use_bias=False, name="stem_conv"
    )
    signal = _activated(stem(signal), "stem")

    for block in BLOCKS:
        signal = _after(block, signal)

    head = keras.layers.Conv2D(_HEAD_FILTERS, 1, use_bias=False, name="head_conv")
    return _activated(head(signal), "head")


def _after(block: Block, maps: Any) -> Any:
    """Return the maps after a block. A block that keeps their shape adds to them."""
    channels = maps.shape[-1]
    signal = maps
    if block.expansion > 1:
        name = f"{block.name}_expand"
        expand = keras.layers.Conv2D(channels * block.expansion, 1, use_bias=False, name=name)
        signal = _activated(expand(signal), name)

    name = f"{block.name}_depthwise"
    depthwise = keras.layers.DepthwiseConv2D(
        block.kernel, strides=block.strides, padding="same", use_bias=False, name=name
    )
    signal = _activated(depthwise(signal), name)

    name = f"{block.name}_project"
    project = keras.layers.Conv2D(block.filters, 1, use_bias=False, name=name)
    signal = _normalised(project(signal), name)

    if block.strides == 1 and channels == block.filters:
        return keras.layers.Add(name=f"{block.name}_add")([maps, signal])
    return signal


def _activated(maps: Any, name: str) -> Any:
    return keras.layers.ReLU(max_value=6.0, name=f"{name}_relu")(_normalised(maps, name))


def _normalised(maps: Any, name: str) -> Any:
    return keras.layers.BatchNormalization(epsilon=_EPSILON, momentum=_MOMENTUM, name=f"{name}_bn")(
        maps
    )
