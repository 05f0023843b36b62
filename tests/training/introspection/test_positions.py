"""The list of operations that keep positions, and networks with other operations."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras.src.applications.convnext import LayerScale, StochasticDepth

from training.errors import NotExplainable
from training.introspection import positions
from training.introspection.positions import keeps_positions
from training.introspection.receptive_field import convolutional_layers

CELL = (1, 5)

# Arguments of the layers that need any, beside those that all get.
LAYER_ARGUMENTS: dict[Any, dict[str, Any]] = {
    keras.layers.Activation: {"activation": "silu"},
    keras.layers.AlphaDropout: {"rate": 0.5},
    keras.layers.Dense: {"units": 4, "activation": "tanh"},
    keras.layers.Dropout: {"rate": 0.5},
    keras.layers.GaussianDropout: {"rate": 0.5},
    keras.layers.GaussianNoise: {"stddev": 0.5},
    keras.layers.GroupNormalization: {"groups": 3},
    keras.layers.Normalization: {"mean": 0.2, "variance": 2.0},
    keras.layers.RandomBrightness: {"factor": 0.5},
    keras.layers.RandomColorDegeneration: {"factor": 0.5},
    keras.layers.RandomContrast: {"factor": 0.5},
    keras.layers.RandomHue: {"factor": 0.5},
    keras.layers.RandomPosterization: {"factor": 3},
    keras.layers.RandomRotation: {"factor": 0.5},
    keras.layers.RandomSaturation: {"factor": 0.5},
    keras.layers.RandomSharpness: {"factor": 0.5},
    keras.layers.RandomTranslation: {"height_factor": 0.5, "width_factor": 0.5},
    keras.layers.RandomZoom: {"height_factor": 0.5},
    keras.layers.Rescaling: {"scale": 2.0},
    keras.layers.SpatialDropout2D: {"rate": 0.5},
}

# Further arguments of the functions of `keras.ops`, by name.
OPERATION_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("absolute", "celu", "elu", "erf", "exp", "gelu", "hard_sigmoid"), ()),
    **dict.fromkeys(("hard_silu", "hard_tanh", "leaky_relu", "log", "log1p", "log_sigmoid"), ()),
    **dict.fromkeys(("negative", "relu", "relu6", "rsqrt", "selu", "sigmoid", "sign"), ()),
    **dict.fromkeys(("hard_shrink", "soft_shrink", "sparse_plus", "sparse_sigmoid"), ()),
    **dict.fromkeys(("squareplus", "tanh_shrink"), ()),
    **dict.fromkeys(("silu", "softmax", "softplus", "softsign", "sqrt", "square", "tanh"), ()),
    **dict.fromkeys(("add", "divide", "maximum", "minimum", "multiply", "power"), (0.1,)),
    **dict.fromkeys(("subtract", "true_divide"), (0.1,)),
    "cast": ("float16",),
    "clip": (0.0, 1.0),
    "concatenate": (),
}


def place_of_largest_change(operation: Any, inputs: int = 1) -> tuple[int, int]:
    """Return the cell of the output that changes most when `CELL` of the input changes."""
    rng = np.random.default_rng(3)
    before, *others = rng.uniform(0.2, 0.8, (inputs, 1, 5, 7, 3)).astype(np.float32)
    after = before.copy()
    after[(0, *CELL)] = -0.5

    answers = [
        np.asarray(operation([one, *others] if others else keras.ops.convert_to_tensor(one)))
        for one in (before, after)
    ]
    assert answers[0].shape[:3] == before.shape[:3]

    # A logarithm of the changed cell is not a number.
    changes = np.nan_to_num(np.abs(answers[0] - answers[1]), nan=np.inf)[0].max(axis=-1)
    row, column = np.unravel_index(changes.argmax(), changes.shape)
    return int(row), int(column)


def at_inference(layer: Any, inputs: int = 1) -> Callable[[Any], Any]:
    """Return the layer as a network of its own, with augmentation and dropout off."""
    signals = [keras.Input((5, 7, 3)) for _ in range(inputs)]
    model = keras.Model(signals, layer(signals if inputs > 1 else signals[0]))
    return lambda values: model(values, training=False)


def by_name(kinds: Any) -> list[Any]:
    return sorted(kinds, key=lambda kind: str(kind.__name__))


@pytest.mark.parametrize("kind", by_name(positions._LAYERS))
def test_listed_layer_keeps_its_cells(kind: Any) -> None:
    keras.utils.set_random_seed(2)
    layer = kind(**LAYER_ARGUMENTS.get(kind, {}))
    inputs = 2 if kind in positions._MERGES else 1

    place = place_of_largest_change(at_inference(layer, inputs), inputs)

    assert place == CELL
    assert keeps_positions(layer)


def operation_of(name: str) -> Any:
    """Return the operation behind a function of `keras.ops`."""
    signal = keras.KerasTensor((1, 5, 7, 3))
    arguments = ([signal, signal], -1) if name == "concatenate" else (signal,)
    output = getattr(keras.ops, name)(*arguments, *OPERATION_ARGUMENTS[name])
    return output._keras_history.operation


@pytest.mark.parametrize("name", OPERATION_ARGUMENTS)
def test_listed_operation_keeps_its_cells(name: str) -> None:
    operation = operation_of(name)
    arguments = () if name == "clip" else OPERATION_ARGUMENTS[name]
    arguments = () if name == "cast" else arguments

    place = place_of_largest_change(
        lambda signal: operation(signal, *arguments), 2 if name == "concatenate" else 1
    )

    assert place == CELL
    assert keeps_positions(operation)


@pytest.mark.parametrize("block", [LayerScale(0.5, 3), StochasticDepth(0.5)])
def test_blocks_of_convnext_keep_their_cells(block: Any) -> None:
    place = place_of_largest_change(at_inference(block))

    assert place == CELL
    assert keeps_positions(block)


def test_every_listed_operation_is_tested() -> None:
    tested = {type(operation_of(name)).__name__ for name in OPERATION_ARGUMENTS}
    listed = set().union(*positions._UNEXPORTED.values())

    assert listed - tested == {"LayerScale", "StochasticDepth"}


def flipped(signal: Any) -> Any:
    return keras.ops.flip(signal, axis=1)


class FlippedReLU(keras.layers.ReLU):  # type: ignore[misc]  # Keras has no types
    """A layer that is not what its class promises."""

    def call(self, inputs: Any) -> Any:
        return flipped(super().call(inputs))


class FlippedConvolution(keras.layers.Conv2D):  # type: ignore[misc]  # Keras has no types
    """A convolution that is not what its class promises."""

    def call(self, inputs: Any) -> Any:
        return flipped(super().call(inputs))


class Doubled(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """A layer of the user's own, which would keep positions."""

    def call(self, inputs: Any) -> Any:
        return 2.0 * inputs


def through_vector(signal: Any) -> Any:
    vector = keras.layers.Flatten()(signal)
    return keras.layers.Add()([signal, keras.layers.Reshape(signal.shape[1:])(vector)])


def through_tokens(signal: Any) -> Any:
    tokens = keras.layers.Permute((2, 1))(keras.layers.Reshape((-1, signal.shape[-1]))(signal))
    return keras.layers.Reshape(signal.shape[1:])(tokens)


REARRANGING: dict[str, Callable[[Any], Any]] = {
    "permute": keras.layers.Permute((2, 1, 3)),
    "reshape": keras.layers.Reshape((16, 16, 2)),
    "resizing": keras.layers.Resizing(16, 16),
    "lambda": keras.layers.Lambda(lambda signal: signal[:, ::-1]),
    "custom": Doubled(),
    "subclass": FlippedReLU(),
    "activation": keras.layers.Activation(flipped),
    "centre-crop": keras.layers.CenterCrop(12, 12),
    "upsampling": keras.layers.UpSampling2D(),
    "softmax-of-rows": keras.layers.Softmax(axis=1),
    "norm-of-rows": keras.layers.LayerNormalization(axis=(1, 2)),
    "rows-joined": lambda signal: keras.layers.Concatenate(axis=1)([signal, signal]),
    "columns-joined": lambda signal: keras.ops.concatenate([signal, signal], axis=2),
    "flip": flipped,
    "roll": lambda signal: keras.ops.roll(signal, 4, axis=2),
    "rotate": lambda signal: keras.ops.rot90(signal, axes=(1, 2)),
    "transpose": lambda signal: keras.ops.transpose(signal, (0, 2, 1, 3)),
    "swap": lambda signal: keras.ops.swapaxes(signal, 1, 2),
    "reversed-slice": lambda signal: signal[:, ::-1],
    "cut": lambda signal: signal[:, 1:-1],
    "split": lambda signal: keras.ops.split(signal, 2, axis=1)[1],
    "pad": lambda signal: keras.ops.pad(signal, ((0, 0), (2, 0), (0, 0), (0, 0))),
    "tokens": through_tokens,
    "vector": through_vector,
}


@pytest.mark.parametrize("kind", REARRANGING)
def test_convolution_after_unlisted_operation_is_refused(kind: str) -> None:
    inputs = keras.Input((16, 16, 1))
    maps = keras.layers.Conv2D(2, 3, padding="same")(inputs)
    maps = keras.layers.ReLU()(REARRANGING[kind](maps))
    model = keras.Model(inputs, keras.layers.Conv2D(2, 3, name="late")(maps))

    with pytest.raises(NotExplainable, match=r"not known to keep .* convolution 'late' depends"):
        convolutional_layers(model, 16, 16)


@pytest.mark.parametrize("kind", REARRANGING)
def test_operation_after_last_convolution_may_rearrange(kind: str) -> None:
    inputs = keras.Input((16, 16, 1))
    maps = keras.layers.Conv2D(2, 3, padding="same", name="last")(inputs)
    model = keras.Model(inputs, keras.layers.Flatten()(REARRANGING[kind](maps)))

    (layer,) = convolutional_layers(model, 16, 16)

    assert layer.name == "last"


def test_refusal_names_the_operation_that_rearranges() -> None:
    inputs = keras.Input((16, 16, 1))
    maps = keras.layers.Permute((2, 1, 3), name="turned")(inputs)
    model = keras.Model(inputs, keras.layers.Conv2D(2, 3, name="conv")(maps))

    with pytest.raises(NotExplainable, match=r"'turned' \(Permute\) is not .* 'conv' depends"):
        convolutional_layers(model, 16, 16)


@pytest.mark.parametrize(
    ("convolution", "complaint"),
    [
        (FlippedConvolution(2, 3, name="own"), r"'own' \(FlippedConvolution\) moves the grid"),
        (
            keras.layers.Conv2D(2, 3, activation=flipped, name="own"),
            "'own' has an activation that is not one of `keras.activations`",
        ),
    ],
    ids=["subclass", "activation"],
)
def test_convolution_of_own_making_is_refused(convolution: Any, complaint: str) -> None:
    model = keras.Sequential([keras.Input((16, 16, 1)), convolution])

    with pytest.raises(NotExplainable, match=complaint):
        convolutional_layers(model, 16, 16)
