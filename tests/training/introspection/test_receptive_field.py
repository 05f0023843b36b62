"""Receptive fields against an independent oracle: the pixels that a cell's gradient reaches."""

from collections.abc import Iterator
from math import ceil, floor
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from service.records import ConvLayer
from training.errors import NotExplainable
from training.introspection.receptive_field import convolutional_layers

Span = tuple[int, int]


def without_zero_gradients(model: Any) -> Any:
    """Return the network without zero gradients.

    It has positive weights, no activations, and average in place of maximum pooling.
    """

    def clone(layer: Any) -> Any:
        if isinstance(layer, keras.layers.ReLU):
            return keras.layers.Activation("linear", name=layer.name)
        if isinstance(layer, keras.layers.MaxPooling2D):
            return keras.layers.AveragePooling2D.from_config(layer.get_config())
        return type(layer).from_config(layer.get_config())

    clear = keras.models.clone_model(model, clone_function=clone)
    for layer in clear.layers:
        if hasattr(layer, "kernel_size"):
            weights = layer.get_weights()
            layer.set_weights(
                [np.full_like(values, 1 / max(values[..., 0].size, 1)) for values in weights]
            )

    return clear


def reached(model: Any, layer: ConvLayer, row: int, column: int) -> tuple[Span, Span] | None:
    """Return the first and last row and column of the input that a cell of the tap depends on.

    None for a cell that sees only padding.
    """
    to_layer = keras.Model(model.inputs[0], model.get_layer(layer.tap[-1]).output)
    pixels = tf.random.stateless_uniform((1, *model.input_shape[1:]), (1, 2), 0.5, 1)

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(pixels)
        cell = tf.reduce_sum(to_layer(pixels, training=False)[0, row, column])

    rows, columns, _ = np.nonzero(tape.gradient(cell, pixels)[0].numpy())
    if not rows.size:
        return None
    return (rows.min(), rows.max()), (columns.min(), columns.max())


def predicted(layer: ConvLayer, row: int, column: int) -> tuple[Span, Span]:
    """Return the same rows and columns from the layer's receptive field."""
    field = layer.receptive_field
    x, y = field.to_input().apply(column, row)

    return (
        (floor(y - (field.height - 1) / 2), ceil(y + (field.height - 1) / 2)),
        (floor(x - (field.width - 1) / 2), ceil(x + (field.width - 1) / 2)),
    )


def merges(model: Any) -> bool:
    """Return whether the network joins branches."""
    return any(
        isinstance(layer, keras.layers.Add | keras.layers.Concatenate) for layer in model.layers
    )


def cut(span: Span, pixels: int) -> Span:
    """Return the part of the span that lies in the image."""
    return max(span[0], 0), min(span[1], pixels - 1)


def cells(layer: ConvLayer) -> Iterator[tuple[int, int]]:
    """Yield the corners, the middles of the edges and the centre of the layer's grid."""
    for row in {0, layer.height // 2, layer.height - 1}:
        for column in {0, layer.width // 2, layer.width - 1}:
            yield row, column


def random_layer(  # noqa: PLR0911 - one return for each kind
    rng: np.random.Generator,
    signal: Any,
    number: int,
) -> Any:
    """Return a random layer, or a merge of two branches, on top of `signal`."""
    layers = keras.layers

    # No 1 x 1 convolution with strides: over few channels TensorFlow's oneDNN crashes when it
    # differentiates one.
    size = [int(length) for length in rng.integers(2, 6, 2)]
    padding = str(rng.choice(["same", "valid"]))
    stride = int(rng.integers(1, 4))

    match rng.integers(7):
        case 0:
            strides = tuple(int(step) for step in rng.integers(1, 4, 2))
            return layers.Conv2D(2, size, strides, padding, use_bias=False, name=f"conv{number}")(
                signal
            )
        case 1:
            gaps = tuple(int(gap) for gap in rng.integers(1, 4, 2))
            return layers.Conv2D(
                2, size, 1, padding, dilation_rate=gaps, use_bias=False, name=f"conv{number}"
            )(signal)
        case 2:
            return layers.DepthwiseConv2D(
                size, stride, padding, use_bias=False, name=f"conv{number}"
            )(signal)
        case 3:
            return layers.SeparableConv2D(
                2, size, stride, padding, use_bias=False, name=f"conv{number}"
            )(signal)
        case 4:
            pooling = layers.MaxPooling2D if rng.integers(2) else layers.AveragePooling2D
            return pooling(size, stride, padding)(signal)
        case 5:
            (top, bottom), (left, right) = rng.integers(0, 3, (2, 2)).tolist()
            frame = layers.ZeroPadding2D if rng.integers(2) else layers.Cropping2D
            return frame(((top, bottom), (left, right)))(signal)
        case _:
            wide = layers.Conv2D(2, size, stride, "same", use_bias=False, name=f"conv{number}")(
                signal
            )
            narrow = layers.Conv2D(2, 2, stride, "same", use_bias=False, name=f"narrow{number}")(
                signal
            )
            return (
                layers.Concatenate()([wide, narrow])
                if rng.integers(2)
                else layers.Add()([wide, narrow])
            )


def random_network(seed: int) -> Any:
    """Return a network of a convolution and up to five random layers."""
    rng = np.random.default_rng(seed)
    inputs = keras.Input((*(int(length) for length in rng.integers(40, 56, 2)), 1))
    signal = keras.layers.Conv2D(2, 3, use_bias=False, name="conv")(inputs)

    for number in range(5):
        if min(signal.shape[1:3]) > 8:
            signal = random_layer(rng, signal, number)

    return keras.Model(inputs, signal)


@pytest.mark.parametrize("seed", range(16))
def test_cell_depends_only_on_pixels_of_its_field(seed: int) -> None:
    model = random_network(seed)
    clear = without_zero_gradients(model)
    rows, columns = model.input_shape[1:3]

    whole = 0
    for layer in convolutional_layers(model, rows, columns):
        for row, column in cells(layer):
            actual = reached(clear, layer, row, column)
            expected = predicted(layer, row, column)
            inside = [
                start >= 0 and end < pixels
                for (start, end), pixels in zip(expected, (rows, columns), strict=True)
            ]
            if all(inside) and not merges(model):
                whole += 1
                assert actual == expected, (layer, row, column)
            elif actual:
                # Beyond the edge, a window with gaps need not touch the last pixel. About the
                # centre of merged branches, the larger field is not symmetric.
                contained = [
                    a <= b <= c <= d for (a, d), (b, c) in zip(expected, actual, strict=True)
                ]
                assert all(contained), (layer, row, column)

    assert whole > 0 or merges(model)


def test_joined_branches_are_centred_between_their_centres() -> None:
    """The pooling sees pixels 0 to 2 about pixel 1, the convolution sees pixel 0."""
    inputs = keras.Input((16, 16, 1))
    pooled = keras.layers.MaxPooling2D(3, strides=2, padding="same")(inputs)
    pointed = keras.layers.Conv2D(1, 1, strides=2, padding="same", name="pointed")(inputs)
    summed = keras.layers.Add()([pooled, pointed])
    model = keras.Model(inputs, keras.layers.Conv2D(2, 1, name="conv")(summed))

    field = convolutional_layers(model, 16, 16)[-1].receptive_field

    assert (field.offset_y, field.offset_x) == (0.5, 0.5)
    # Pixels -1 to 2: the fewest about 0.5 that hold 0 to 2.
    assert (field.height, field.width) == (4, 4)


@pytest.mark.parametrize(
    "size",
    [
        pytest.param((96, 128), id="even", marks=pytest.mark.interop),
        pytest.param((98, 101), id="odd"),
    ],
)
def test_deep_backbone_is_followed_to_its_end(size: tuple[int, int]) -> None:
    model = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(*size, 3), alpha=0.35
    )
    clear = without_zero_gradients(model)

    layers = convolutional_layers(model, *size)

    assert len(layers) == 52
    for layer in layers[::17]:
        for row, column in [(0, 0), (layer.height - 1, layer.width - 1)]:
            rows, columns = predicted(layer, row, column)
            assert reached(clear, layer, row, column) == (cut(rows, size[0]), cut(columns, size[1]))


def test_fields_of_small_network_by_hand(network: Any) -> None:
    layers = convolutional_layers(network, 96, 72)

    summary = [
        (
            layer.name,
            layer.height,
            layer.width,
            layer.stage,
            layer.receptive_field.height,
            layer.receptive_field.offset_x,
        )
        for layer in layers
    ]
    # Sizes: 5, then 5 + 1 + 4 * 2 = 14, then 14 + 2 + 4 * 4 = 32. Without padding the first field
    # starts at the image's first pixel.
    assert summary == [
        ("conv2d", 92, 68, "early", 5, 2.0),
        ("conv2d_1", 42, 30, "middle", 14, 6.5),
        ("conv2d_2", 17, 11, "deep", 32, 15.5),
    ]


def test_layers_of_nested_model_carry_its_name() -> None:
    backbone = keras.Sequential(
        [keras.Input((32, 32, 3)), keras.layers.Conv2D(4, 3, name="inner")], name="backbone"
    )
    model = keras.Sequential(
        [keras.Input((32, 32, 1)), keras.layers.Conv2D(3, 3, padding="same", name="outer")]
    )
    model.add(backbone)

    names = [layer.name for layer in convolutional_layers(model, 32, 32)]

    assert names == ["outer", "backbone/inner"]


def test_gate_has_no_place_in_the_image() -> None:
    """It only scales maps, so its convolution is left out."""
    inputs = keras.Input((20, 20, 4))
    maps = keras.layers.Conv2D(4, 3, name="conv")(inputs)
    gate = keras.layers.GlobalAveragePooling2D(keepdims=True)(maps)
    gate = keras.layers.Conv2D(4, 1, activation="sigmoid", name="gate")(gate)
    last = keras.layers.Conv2D(4, 3, name="last")(keras.layers.Multiply()([maps, gate]))

    layers = convolutional_layers(keras.Model(inputs, last), 20, 20)

    heights = {layer.name: layer.receptive_field.height for layer in layers}
    assert heights == {"conv": 3, "last": 5}


@pytest.mark.interop
@pytest.mark.parametrize("base", ["EfficientNetB0", "DenseNet121"])
def test_backbones_with_gates_and_dense_merges_are_followed(base: str) -> None:
    build = getattr(keras.applications, base)
    model = build(weights=None, include_top=False, input_shape=(64, 64, 3))

    deepest = convolutional_layers(model, 64, 64)[-1]

    assert (deepest.height, deepest.receptive_field.stride_y) == (2, 32)


def test_observation_leaves_the_network_unchanged(network: Any) -> None:
    before = {layer.name: set(vars(layer)) for layer in network.layers}

    convolutional_layers(network, 96, 72)

    assert {layer.name: set(vars(layer)) for layer in network.layers} == before


class Hidden(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """A custom layer with a convolution inside."""

    def __init__(self) -> None:
        super().__init__(name="hidden")
        self.inner = keras.layers.Conv2D(2, 3, padding="same")

    def call(self, inputs: Any) -> Any:
        return self.inner(inputs)


@pytest.mark.parametrize(
    ("grow", "complaint"),
    [
        (
            keras.layers.Conv2DTranspose(2, 3, padding="same"),
            "Layer 'conv2d_transpose.* moves the grid in an unknown way",
        ),
        (Hidden(), r"Layer 'hidden' \(Hidden\) moves the grid in an unknown way"),
        (
            lambda signal: keras.ops.max_pool(signal, 3, 1, "same"),
            "Layer 'max_pool.* moves the grid in an unknown way",
        ),
        (
            lambda signal: keras.layers.Add()(
                [keras.layers.MaxPooling2D()(signal), keras.layers.Cropping2D(4)(signal)]
            ),
            "joins grids of different sizes or strides",
        ),
    ],
    ids=["transposed", "custom", "operation", "unlike-strides"],
)
def test_layer_of_unknown_reach_is_refused(grow: Any, complaint: str) -> None:
    inputs = keras.Input((16, 16, 1))
    model = keras.Model(inputs, grow(keras.layers.Conv2D(2, 3, padding="same")(inputs)))

    with pytest.raises(NotExplainable, match=complaint):
        convolutional_layers(model, 16, 16)


def test_convolution_used_twice_is_refused() -> None:
    inputs = keras.Input((16, 16, 1))
    shared = keras.layers.Conv2D(1, 3, name="shared")
    model = keras.Model(inputs, shared(shared(inputs)))

    with pytest.raises(NotExplainable, match="'shared' is used 2 times"):
        convolutional_layers(model, 16, 16)


def test_network_without_convolutions_is_refused() -> None:
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )

    with pytest.raises(NotExplainable, match="no convolutional layer"):
        convolutional_layers(model, 4, 4)
