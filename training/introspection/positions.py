"""Operations that keep every cell of a map in its place: the list of those that are followed.

Convolutions, poolings, paddings and croppings are not on it: their geometry is computed. An
operation that is on neither list may permute, flip, roll or rotate a map, so that its heat would be
drawn in another place.
"""

from typing import Any

import keras

_ACTIVATIONS = frozenset(
    {
        keras.layers.Activation,
        keras.layers.ELU,
        keras.layers.LeakyReLU,
        keras.layers.PReLU,
        keras.layers.ReLU,
        keras.layers.Softmax,
    }
)

_NORMALISATIONS = frozenset(
    {
        keras.layers.BatchNormalization,
        keras.layers.GroupNormalization,
        keras.layers.LayerNormalization,
        keras.layers.RMSNormalization,
        keras.layers.UnitNormalization,
    }
)

# The identity at inference.
_REGULARISATIONS = frozenset(
    {
        keras.layers.ActivityRegularization,
        keras.layers.AlphaDropout,
        keras.layers.Dropout,
        keras.layers.GaussianDropout,
        keras.layers.GaussianNoise,
        keras.layers.Identity,
        keras.layers.SpatialDropout2D,
    }
)

# The identity at inference.
_AUGMENTATIONS = frozenset(
    {
        keras.layers.RandomBrightness,
        keras.layers.RandomColorDegeneration,
        keras.layers.RandomColorJitter,
        keras.layers.RandomContrast,
        keras.layers.RandomElasticTransform,
        keras.layers.RandomErasing,
        keras.layers.RandomFlip,
        keras.layers.RandomGaussianBlur,
        keras.layers.RandomGrayscale,
        keras.layers.RandomHue,
        keras.layers.RandomInvert,
        keras.layers.RandomPerspective,
        keras.layers.RandomPosterization,
        keras.layers.RandomRotation,
        keras.layers.RandomSaturation,
        keras.layers.RandomSharpness,
        keras.layers.RandomShear,
        keras.layers.RandomTranslation,
        keras.layers.RandomZoom,
    }
)

_MERGES = frozenset(
    {
        keras.layers.Add,
        keras.layers.Average,
        keras.layers.Concatenate,
        keras.layers.Maximum,
        keras.layers.Minimum,
        keras.layers.Multiply,
        keras.layers.Subtract,
    }
)

# A dense layer over [N, h, w, c] is a convolution of one cell.
_POINTWISE = frozenset({keras.layers.Dense, keras.layers.Normalization, keras.layers.Rescaling})

_LAYERS = _ACTIVATIONS | _NORMALISATIONS | _REGULARISATIONS | _AUGMENTATIONS | _MERGES | _POINTWISE

# Classes behind `keras.ops` and blocks of `keras.applications`, which Keras does not export.
_UNEXPORTED = {
    "keras.src.ops.core": {"Cast"},
    "keras.src.ops.math": {"Erf", "Rsqrt"},
    "keras.src.ops.nn": {
        *{"Celu", "Elu", "Gelu", "HardSigmoid", "HardSilu", "HardTanh", "LeakyRelu", "LogSigmoid"},
        *{"Relu", "Relu6", "Selu", "Sigmoid", "Silu", "Softmax", "Softplus", "Softsign"},
        *{"HardShrink", "SoftShrink", "SparsePlus", "SparseSigmoid", "Squareplus", "TanhShrink"},
    },
    "keras.src.ops.numpy": {
        *{"Absolute", "Add", "Clip", "Concatenate", "Divide", "Exp", "Log", "Log1p", "Maximum"},
        *{"Minimum", "Multiply", "Negative", "Power", "Sign", "Sqrt", "Square", "Subtract"},
        *{"Tanh", "TrueDivide"},
    },
    "keras.src.applications.convnext": {"LayerScale", "StochasticDepth"},
}

# Operations that work along an axis, which has to be the channels.
_ALONG_AXIS = _NORMALISATIONS | {keras.layers.Concatenate, keras.layers.Softmax}
_CHANNEL_AXES = (-1, 3)  # of [N, h, w, c]


def keeps_positions(operation: keras.Operation) -> bool:
    """Return whether the operation keeps each cell of its maps [N, h, w, c] in its place.

    A subclass of a layer on the list is another layer, so it is not on the list. The operation must
    have been called, because some layers learn their axes then.
    """
    kind = type(operation)
    if kind not in _LAYERS and kind.__name__ not in _UNEXPORTED.get(kind.__module__, ()):
        return False

    if (kind in _ALONG_AXIS or kind not in _LAYERS) and not _along_channels(operation):
        return False
    return has_known_activation(operation)


def has_known_activation(operation: keras.Operation) -> bool:
    """Return whether the operation has no activation inside, or one of Keras' own."""
    activation = getattr(operation, "activation", None)
    if activation is None:
        return True
    if isinstance(activation, keras.Operation):
        return type(activation) in _ACTIVATIONS and has_known_activation(activation)

    name = getattr(activation, "__name__", "")
    return activation is getattr(keras.activations, name, None)


def _along_channels(operation: Any) -> bool:
    """Return whether the axes of the operation, if it has any, are the channels."""
    axes = keras.tree.flatten(getattr(operation, "axis", -1))
    return all(axis in _CHANNEL_AXES for axis in axes)
