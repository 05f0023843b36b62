"""Methods that mean something at a layer, by the way the rest of the network reads its maps.

Grad-CAM, Grad-CAM++ and XGrad-CAM give each filter one weight, pooled from the gradients of all its
cells. That weight stands for every cell if the head treats all cells alike and adds them up, or
takes the largest. Where it does not, gradients differ from cell to cell, and their mean says little
about any of them. HiResCAM and LayerCAM weigh each cell by its own gradient. Eigen-CAM shows the
strongest response of any layer, and ignores the class everywhere.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import keras

from service.records import Method
from training.introspection.hooks import OperationCall

_POOLED = frozenset({Method.GRAD_CAM, Method.GRAD_CAM_PLUS_PLUS, Method.XGRAD_CAM})
_BY_CELL = frozenset({Method.HIRES_CAM, Method.LAYER_CAM, Method.EIGEN_CAM})

_GLOBAL_POOLINGS = (keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D)
_ROWS_AND_COLUMNS = (1, 2)  # of [N, h, w, c]

# Linear or affine in each cell, in the same way, or the largest or the mean of some cells.
_UNIFORM = (
    keras.layers.Add,
    keras.layers.Average,
    keras.layers.AveragePooling2D,
    keras.layers.BatchNormalization,
    keras.layers.Concatenate,
    keras.layers.Dropout,
    keras.layers.Identity,
    keras.layers.MaxPooling2D,
    keras.layers.Normalization,
    keras.layers.Rescaling,
    keras.layers.SpatialDropout2D,
    keras.layers.Subtract,
    keras.layers.ZeroPadding2D,
)
# Classes behind `keras.ops` and blocks of `keras.applications`, which Keras does not export.
_UNIFORM_NAMES = {
    *("Add", "Cast", "Concatenate", "LayerScale", "Negative", "StochasticDepth", "Subtract"),
}
_ATTENTIONS = (
    keras.layers.AdditiveAttention,
    keras.layers.Attention,
    keras.layers.GroupQueryAttention,
    keras.layers.MultiHeadAttention,
)


def suited_methods(maps: Any, calls: Iterable[OperationCall]) -> tuple[Method, ...]:
    """Return the methods that mean something for the tensor `maps`, in the order of `Method`.

    `calls`: those of one pass of the network. Methods that explain the input have no layer.
    """
    suited = _BY_CELL | _POOLED if _is_pooled(maps, calls) else _BY_CELL
    return tuple(method for method in Method if method in suited)


def has_attention(calls: Iterable[OperationCall]) -> bool:
    """Return whether the network has an attention layer, also one inside another layer."""
    return any(
        isinstance(part, _ATTENTIONS)
        for call in calls
        if isinstance(call.operation, keras.Layer)
        # Keras has no public way into a layer.
        for part in call.operation._flatten_layers()  # noqa: SLF001
    )


def _is_pooled(maps: Any, calls: Iterable[OperationCall]) -> bool:
    """Return whether the network pools the maps over all cells before it tells the cells apart.

    Whatever follows a global pooling has the same slope for all cells that it has pooled.
    """
    by_cell = {id(maps)}
    for call in calls:
        read = [tensor for tensor in call.inputs if id(tensor) in by_cell]
        if not read or _is_global_pooling(call.operation):
            continue
        if not _is_uniform(call, read):
            return False
        by_cell.add(id(call.output))

    return True


def _is_global_pooling(operation: Any) -> bool:
    if isinstance(operation, _GLOBAL_POOLINGS):
        return True

    axes = tuple(keras.tree.flatten(getattr(operation, "axis", None)))
    return type(operation).__name__ in {"Max", "Mean"} and axes == _ROWS_AND_COLUMNS


def _is_uniform(call: OperationCall, read: Sequence[Any]) -> bool:
    """Return whether the call treats every cell of the maps that it reads alike, and linearly."""
    operation = call.operation
    if type(operation) in _UNIFORM or type(operation).__name__ in _UNIFORM_NAMES:
        return True
    if type(operation) is keras.layers.Activation:
        return _is_linear(operation)

    if type(operation) is keras.layers.Conv2D:
        is_single = operation.kernel_size == operation.strides == (1, 1)
        return is_single and _is_linear(operation)
    if type(operation) is keras.layers.Dense:
        return _is_linear(operation) and len(read[0].shape) == len(call.output.shape)

    is_product = type(operation).__name__ == "Multiply"
    others = [tensor for tensor in call.inputs if all(tensor is not maps for maps in read)]
    return is_product and len(read) == 1 and all(map(_is_single_cell, others))


def _is_linear(operation: Any) -> bool:
    return operation.activation is keras.activations.linear


def _is_single_cell(tensor: Any) -> bool:
    """Return whether the tensor is the same for every cell, as a gate or a constant is."""
    return tuple(tensor.shape[1:-1]) in {(), (1, 1)}
