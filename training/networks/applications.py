"""Backbones of `keras.applications`, for grey images in [0, 1]."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from training.networks.trunk import three_channels

# Mean and standard deviation of ImageNet's red, green and blue, as shares of white.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)

_LAST_NORMALISATION = "head_layernorm"


@dataclass(frozen=True, slots=True)
class _Application:
    """Function that builds the network, and the scale and offset of its input in [0, 1]."""

    build: Callable[..., keras.Model]
    scale: float | Sequence[float]
    offset: float | Sequence[float]
    options: Mapping[str, Any] = field(default_factory=dict)


# The networks of torch and of TensorFlow's later ones: standardised by channel.
_STANDARDISED = (
    [1 / deviation for deviation in _DEVIATION],
    [-mean / deviation for mean, deviation in zip(_MEAN, _DEVIATION, strict=True)],
)
_BARE = {"include_preprocessing": False}  # the same scale is before the network

_APPLICATIONS: Mapping[str, _Application] = {
    "convnext-tiny": _Application(keras.applications.ConvNeXtTiny, *_STANDARDISED, _BARE),
    "densenet121": _Application(keras.applications.DenseNet121, *_STANDARDISED),
    "efficientnetv2-b0": _Application(keras.applications.EfficientNetV2B0, *_STANDARDISED, _BARE),
    "mobilenetv2": _Application(keras.applications.MobileNetV2, 2.0, -1.0),
    # Blue, green and red, from 0 to 255, without the mean of each.
    "resnet50": _Application(keras.applications.ResNet50, 255.0, [-103.939, -116.779, -123.68]),
}


def build_application(kind: str, height: int, width: int) -> keras.Model:
    """Build a network of `keras.applications` with random weights, without its classifier.

    It maps images [N, height, width, 1] in [0, 1] to its last maps [N, h, w, c]. The grey image is
    repeated to three channels and scaled as the network's `preprocess_input` does. ConvNeXt has
    other networks inside.
    """
    application = _APPLICATIONS[kind]
    images = keras.Input((height, width, 1), name="images")
    scaling = keras.layers.Rescaling(application.scale, application.offset, name="scale")
    network = application.build(
        include_top=False,
        weights=None,
        input_tensor=scaling(three_channels(images)),
        **application.options,
    )
    maps = network.output

    # ConvNeXt ends in a normalisation whose name counts how many were made before.
    last = network.layers[-1]
    if isinstance(last, keras.layers.LayerNormalization):
        normalisation = keras.layers.LayerNormalization(
            epsilon=last.epsilon, name=_LAST_NORMALISATION
        )
        maps = normalisation(last.input)

    return keras.Model(images, maps, name=kind)
