"""Nodes of a graph that tf2onnx converts: read them, make them, and put one in another's place."""

from collections.abc import Sequence
from typing import Any

import numpy as np

TO_FIRST = [0, 3, 1, 2]
TO_LAST = [0, 2, 3, 1]
"""Axes of images with their channels first, and last again."""


def window(node: Any, attribute: str) -> list[int]:
    """Return height and width of an attribute with a value for each axis."""
    return list(node.get_attr(attribute).ints)[1:3]


def constant(graph: Any, value: np.ndarray | np.generic) -> str:
    """Add a constant, and return its tensor."""
    from tf2onnx import utils  # noqa: PLC0415 - imports TensorFlow's compiler

    name: str = graph.make_const(utils.make_name("gradient"), np.asarray(value)).output[0]
    return name


def make(graph: Any, operation: str, inputs: Sequence[str], **attributes: Any) -> str:
    """Add a node, and return its first output."""
    name: str = graph.make_node(operation, list(inputs), attr=attributes).output[0]
    return name


def transposed(graph: Any, tensor: str, axes: Sequence[int]) -> str:
    """Add a transposition, and return its output."""
    return make(graph, "Transpose", [tensor], perm=list(axes))


def replace(
    graph: Any, node: Any, operation: str, inputs: Sequence[str], **attributes: Any
) -> None:
    """Put a node with the name and the outputs of `node` in its place."""
    shapes = node.output_shapes
    types = node.output_dtypes
    graph.remove_node(node.name)
    graph.make_node(
        operation,
        list(inputs),
        attr=attributes,
        name=node.name,
        outputs=node.output,
        shapes=shapes,
        dtypes=types,
    )


def replace_with_channels_last(graph: Any, node: Any, tensor: str) -> None:
    """Put a tensor [1, channels, rows, columns] in the place of `node`."""
    replace(graph, node, "Transpose", [tensor], perm=TO_LAST)
