"""Chains of convolutions, and the maps and gradients at their ends."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from service.explanation import signed_map
from service.records import Floats, Method
from tests.support.bundles import untested_facts
from training.introspection.description import describe_model
from training.introspection.live_model import LiveModel
from training.introspection.receptive_field import convolutional_layers

HEIGHT, WIDTH = 24, 20
IMAGES = np.random.default_rng(4).random((2, HEIGHT, WIDTH, 1), np.float32)

layers = keras.layers
ops = keras.ops


def convolution(name: str = "conv", **options: Any) -> Any:
    return layers.Conv2D(4, 3, padding="same", name=name, **options)


def normalisation(name: str = "norm") -> Any:
    return layers.BatchNormalization(name=name)


def classifier(inputs: Any, signal: Any) -> Any:
    """Return a network that ends with mean pooling and a dense layer of two classes."""
    pooled = layers.GlobalAveragePooling2D()(signal)
    return keras.Model(inputs, layers.Dense(2, name="logits")(pooled))


def network(*chain: Any) -> Any:
    """Return a network of a convolution, the operations of the chain and a linear head."""
    inputs = signal = keras.Input((HEIGHT, WIDTH, 1))
    for operation in (convolution(), *chain):
        signal = operation(signal)
    return classifier(inputs, signal)


def tap_of(model: Any, name: str) -> tuple[str, ...]:
    by_name = {layer.name: layer.tap for layer in convolutional_layers(model, HEIGHT, WIDTH)}
    return by_name[name]


def live(model: Any) -> LiveModel:
    return LiveModel(model, describe_model(model, untested_facts(HEIGHT, WIDTH)))


@pytest.mark.parametrize(
    ("chain", "tap"),
    [
        ([], ()),
        ([normalisation()], ("norm",)),
        ([normalisation(), layers.ReLU(6.0, name="act")], ("norm", "act")),
        ([normalisation(), layers.LeakyReLU(name="act")], ("norm", "act")),
        ([normalisation(), layers.PReLU(shared_axes=[1, 2], name="act")], ("norm", "act")),
        ([normalisation(), layers.ELU(name="act")], ("norm", "act")),
        ([normalisation(), layers.Activation("silu", name="act")], ("norm", "act")),
        ([layers.LayerNormalization(name="norm"), layers.ReLU(name="act")], ("norm", "act")),
        ([layers.GroupNormalization(2, name="norm"), layers.ReLU(name="act")], ("norm", "act")),
        ([layers.Activation("linear"), layers.ReLU(name="act")], ("act",)),
        ([normalisation(), layers.SpatialDropout2D(0.2), layers.ReLU(name="act")], ("norm", "act")),
        ([layers.ReLU(name="act"), normalisation()], ("act",)),
        ([layers.MaxPooling2D(), layers.ReLU()], ()),
        ([layers.ZeroPadding2D(), layers.ReLU()], ()),
    ],
)
def test_convolution_is_followed_to_its_activation(chain: list[Any], tap: tuple[str, ...]) -> None:
    assert tap_of(network(*chain), "conv") == ("conv", *tap)


@pytest.mark.parametrize(
    "activation",
    [
        *("celu", "elu", "gelu", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu"),
        *("log_sigmoid", "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softsign"),
        *("squareplus", "tanh"),
    ],
)
def test_activation_of_keras_ops_is_followed(activation: str) -> None:
    function = getattr(ops, activation)

    chain = tap_of(network(normalisation(), function), "conv")

    assert len(chain) == 3


@pytest.mark.parametrize(
    "cut", [lambda x: ops.clip(x, 0, 6), lambda x: ops.maximum(x, 0), lambda x: ops.minimum(x, 6)]
)
def test_activation_written_as_a_cut_is_followed(cut: Any) -> None:
    model = network(normalisation(), cut)

    assert len(tap_of(model, "conv")) == 3


@pytest.mark.parametrize(
    ("activation", "length"),
    [
        (lambda x: x * ops.sigmoid(x), 2),
        (lambda x: layers.Multiply()([layers.Activation("sigmoid")(x), x]), 2),
        (lambda x: x * ops.tanh(ops.softplus(x)), 3),
        (lambda x: x * ops.relu6(x + 3.0), 3),
    ],
    ids=["swish", "swish-layers", "mish", "hard-swish"],
)
def test_activation_written_as_product_is_followed(activation: Any, length: int) -> None:
    chain = tap_of(network(normalisation(), activation), "conv")

    assert len(chain) == 2 + length


def test_convolution_with_own_activation_is_its_tap() -> None:
    inputs = keras.Input((HEIGHT, WIDTH, 1))
    maps = normalisation()(convolution(activation="relu")(inputs))

    assert tap_of(classifier(inputs, maps), "conv") == ("conv",)


def test_chain_ends_where_two_operations_read() -> None:
    """A projection is read by the next block and by its residual connection."""
    inputs = keras.Input((HEIGHT, WIDTH, 1))
    projected = normalisation()(convolution("projection")(inputs))
    expanded = layers.ReLU()(convolution("expansion")(projected))
    model = classifier(inputs, layers.Add(name="sum")([projected, expanded]))

    assert tap_of(model, "projection") == ("projection", "norm")


def test_sum_that_others_read_is_the_tap() -> None:
    """Both of its convolutions have it. Its normalisation and activation are followed, too."""
    inputs = keras.Input((HEIGHT, WIDTH, 1))
    shortcut = convolution("shortcut")(inputs)
    branch = normalisation("inner")(convolution("branch")(inputs))
    joined = layers.Add(name="sum")([shortcut, branch])
    model = classifier(inputs, layers.ReLU(name="act")(normalisation("outer")(joined)))

    assert tap_of(model, "shortcut") == ("shortcut", "sum", "outer", "act")
    assert tap_of(model, "branch") == ("branch", "inner", "sum", "outer", "act")


def test_concatenation_widens_filters_and_field() -> None:
    inputs = keras.Input((HEIGHT, WIDTH, 1))
    before = layers.ReLU()(convolution("before")(inputs))
    grown = layers.Concatenate(name="dense")([before, convolution("grown")(before)])
    model = classifier(inputs, grown)

    _, layer = convolutional_layers(model, HEIGHT, WIDTH)

    assert layer.tap == ("grown", "dense")
    assert (layer.filters, layer.receptive_field.height) == (8, 5)


def test_gate_ends_the_chain_before_it() -> None:
    inputs = keras.Input((HEIGHT, WIDTH, 1))
    maps = layers.Activation("silu", name="act")(normalisation()(convolution()(inputs)))
    gate = layers.Dense(4, "sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(maps))
    model = classifier(inputs, layers.Multiply()([maps, gate]))

    assert tap_of(model, "conv") == ("conv", "norm", "act")


def test_chain_in_nested_model_carries_its_name() -> None:
    inner = keras.Input((HEIGHT, WIDTH, 1))
    backbone = keras.Model(inner, normalisation()(convolution()(inner)), name="backbone")
    inputs = keras.Input((HEIGHT, WIDTH, 1))
    model = classifier(inputs, layers.ReLU(name="act")(backbone(inputs)))

    assert tap_of(model, "backbone/conv") == ("backbone/conv", "backbone/norm", "act")


def test_shared_activation_gives_each_layer_its_maps() -> None:
    inputs = keras.Input((HEIGHT, WIDTH, 1))
    shared = layers.ReLU(name="shared")
    first = shared(convolution("first")(inputs))
    second = shared(convolution("second")(first))
    model = classifier(inputs, second)

    maps = live(model).activations(IMAGES)

    expected = keras.Model(inputs, [first, second])(IMAGES)
    for layer, theirs in zip(("first", "second"), expected, strict=True):
        assert tap_of(model, layer) == (layer, "shared")
        np.testing.assert_allclose(maps[layer], theirs, atol=1e-6)


def test_clone_of_network_has_the_same_chains() -> None:
    """The scorecard explains clones with random weights by the manifest of the network."""
    model = network(normalisation(), ops.relu6)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())

    maps = LiveModel(clone, live(model).manifest).activations(IMAGES)

    np.testing.assert_array_equal(maps["conv"], live(model).activations(IMAGES)["conv"])


def saturating_network() -> tuple[Any, Floats]:
    """Return Conv-BN-ReLU6-GAP-Dense, and images on which both cuts of ReLU6 are met."""
    keras.utils.set_random_seed(9)
    model = network(normalisation(), layers.ReLU(6.0, name="act"))
    images = np.random.default_rng(5).random((3, HEIGHT, WIDTH, 1), np.float32)

    # Normalised maps have a mean of 2 and a standard deviation of 3.
    raw = keras.Model(model.inputs[0], model.get_layer("conv").output)(images).numpy()
    mean = raw.mean(axis=(0, 1, 2))
    variance = raw.var(axis=(0, 1, 2))
    ones = np.ones(4)
    model.get_layer("norm").set_weights([3 * ones, 2 * ones, mean, variance])

    maps = keras.Model(model.inputs[0], model.get_layer("act").output)(images).numpy()
    assert 0.05 < (maps == 6).mean() < 0.5
    assert 0.05 < (maps == 0).mean() < 0.5
    return model, images


def test_hires_cam_equals_grad_cam_under_linear_head() -> None:
    model, images = saturating_network()

    results = live(model).layer_gradients("conv", images, np.ones(3, np.int32))

    for maps, gradients in zip(results.maps, results.gradients, strict=True):
        grad_cam = signed_map(Method.GRAD_CAM, maps, gradients)
        hires_cam = signed_map(Method.HIRES_CAM, maps, gradients)
        np.testing.assert_allclose(hires_cam, grad_cam, atol=1e-5 * np.abs(grad_cam).max())


def test_hires_cam_adds_up_to_margin_without_bias() -> None:
    model, images = saturating_network()
    kernel, _ = model.get_layer("logits").get_weights()
    bias = np.array([0.3, -0.4], np.float32)
    model.get_layer("logits").set_weights([kernel, bias])

    results = live(model).layer_gradients("conv", images, np.ones(3, np.int32))

    margins = model(images).numpy() @ [-1, 1]
    sums = [
        signed_map(Method.HIRES_CAM, *pair).sum()
        for pair in zip(results.maps, results.gradients, strict=True)
    ]
    np.testing.assert_allclose(sums, margins - (bias[1] - bias[0]), rtol=1e-4, atol=1e-5)


def test_features_are_means_of_the_tap() -> None:
    model, images = saturating_network()

    features = live(model).predict(images).features

    maps = keras.Model(model.inputs[0], model.get_layer("act").output)(images)
    np.testing.assert_allclose(features, tf.reduce_mean(maps, axis=(1, 2)), rtol=1e-5)
