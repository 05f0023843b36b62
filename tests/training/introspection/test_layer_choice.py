"""The layers that are offered, in networks of every shape."""

from pathlib import Path
from typing import Any

import keras
import pytest

from service.records import ConvLayer
from training.config_files import load_experiment
from training.introspection.layer_choice import choose_layers, feature_layers
from training.introspection.receptive_field import convolutional_layers
from training.networks.build import build_untrained
from training.networks.cnn import CONVOLUTIONS

STAGES = ["early", "middle", "deep"]

layers = keras.layers


def offered(model: Any) -> list[ConvLayer]:
    """Return the layers that are explained unless others are named."""
    height, width = model.input_shape[1:3]
    return choose_layers(convolutional_layers(model, height, width), None)


def stages(offer: list[ConvLayer]) -> list[str]:
    """Return the stages of the offered layers in depth order, each once."""
    return list(dict.fromkeys(layer.stage for layer in offer))


def sequential(strides: list[int]) -> Any:
    """Return a network of padded convolutions with these strides, named by their numbers."""
    convolutions = [
        layers.Conv2D(2, 3, strides=stride, padding="same", name=f"conv{number}")
        for number, stride in enumerate(strides)
    ]
    return keras.Sequential([keras.Input((64, 48, 1)), *convolutions])


def bottleneck(signal: Any, name: str, stride: int) -> Any:
    """Return an inverted bottleneck: expansion, depthwise convolution and projection."""
    for kind, convolution in (
        ("expand", layers.Conv2D(8, 1, name=f"{name}_expand")),
        ("dw", layers.DepthwiseConv2D(3, stride, "same", name=f"{name}_dw")),
        ("project", layers.Conv2D(4, 1, name=f"{name}_project")),
    ):
        signal = layers.BatchNormalization(name=f"{name}_{kind}_bn")(convolution(signal))
        if kind != "project":
            signal = layers.ReLU(6.0, name=f"{name}_{kind}_relu")(signal)

    return signal


def bottlenecks() -> Any:
    """Return a network whose grids change early and late, as those of EfficientNet-Lite do.

    Of its 26 convolutions, the first 9 are early and the last 8 deep.
    """
    inputs = keras.Input((64, 64, 1))
    signal = layers.Conv2D(4, 3, 2, "same", activation="relu", name="stem")(inputs)
    for number, stride in enumerate([2, 2, 1, 1, 1, 1, 2, 1]):
        signal = bottleneck(signal, f"block{number}", stride)
    return keras.Model(inputs, layers.Conv2D(16, 1, activation="relu", name="head")(signal))


def test_demo_network_has_one_layer_per_stage() -> None:
    experiment = load_experiment(Path("training/experiments/demo.toml"))

    offer = offered(build_untrained(experiment))

    assert [layer.name for layer in offer] == list(CONVOLUTIONS)
    assert [layer.stage for layer in offer] == STAGES


@pytest.mark.parametrize("count", [3, 5, 16, 17, 20])
@pytest.mark.parametrize("strided", ["first", "last", "none"])
def test_every_depth_has_three_stages(count: int, strided: str) -> None:
    strides = [1] * count
    if strided == "first":
        strides[:3] = [2, 2, 2]
    if strided == "last":
        strides[-3:] = [2, 2, 2]

    offer = offered(sequential(strides))

    assert stages(offer) == STAGES
    assert offer[-1].name == f"conv{count - 1}"


def test_stage_without_change_has_its_last_layer() -> None:
    offer = offered(bottlenecks())

    assert [(layer.name, layer.stage, layer.receptive_field.stride_y) for layer in offer] == [
        ("block0_expand", "early", 2),
        ("block1_expand", "early", 4),
        ("block5_dw", "middle", 8),
        ("block6_expand", "deep", 8),
        ("head", "deep", 16),
    ]


def test_features_are_last_early_and_middle() -> None:
    assert feature_layers(offered(bottlenecks())) == ("block1_expand", "block5_dw")


def test_unpadded_layers_are_one_grid() -> None:
    """Each of 20 convolutions loses two cells, and the last of each third is offered."""
    convolutions = [layers.Conv2D(2, 3, name=f"conv{number}") for number in range(20)]

    offer = offered(keras.Sequential([keras.Input((64, 48, 1)), *convolutions]))

    assert [layer.name for layer in offer] == ["conv6", "conv13", "conv19"]


@pytest.mark.parametrize(
    ("base", "options", "deepest"),
    [
        ("MobileNetV2", {"alpha": 0.35}, "Conv_1"),
        ("EfficientNetB0", {}, "top_conv"),
        ("ResNet50V2", {}, "conv5_block3_3_conv"),
    ],
)
def test_backbones_have_every_stage_and_grid(
    base: str, options: dict[str, Any], deepest: str
) -> None:
    build = getattr(keras.applications, base)
    model = build(weights=None, include_top=False, input_shape=(64, 64, 3), **options)

    offer = offered(model)

    assert stages(offer) == STAGES
    assert {layer.receptive_field.stride_x for layer in offer} >= {4, 8, 16, 32}
    assert offer[-1].name == deepest
    assert len(feature_layers(offer)) == 2
