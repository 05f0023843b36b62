"""Operations of gradients that tf2onnx lacks, written with operations of ONNX.

Each handler replaces one node of the graph that tf2onnx converts. Shapes are known, because a
graph is traced for one image. TensorFlow's images have their channels last, and
those of ONNX first.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from training.export.graph_nodes import (
    TO_FIRST,
    constant,
    make,
    replace,
    replace_with_channels_last,
    transposed,
    window,
)

Handler = Callable[[Any, Any, str, Sequence[Any]], None]
"""Takes the graph, the node, its name, and arguments that are empty here."""

_BLOCK = 8  # channels that onnxruntime convolves together, at least
_IMAGE_AXES = 4


def _relu(graph: Any, node: Any, _name: str, _arguments: Sequence[Any]) -> None:
    """Pass the gradient where the activation is above zero."""
    _pass_where_above_zero(graph, node, limit=None)


def _relu6(graph: Any, node: Any, _name: str, _arguments: Sequence[Any]) -> None:
    """Pass the gradient where the activation is between zero and six."""
    _pass_where_above_zero(graph, node, limit=6)


def _pass_where_above_zero(graph: Any, node: Any, limit: float | None) -> None:
    gradient, activated = node.input
    is_image = len(graph.get_shape(activated)) == _IMAGE_AXES
    if is_image:
        gradient = transposed(graph, gradient, TO_FIRST)
        activated = transposed(graph, activated, TO_FIRST)

    zero = constant(graph, np.float32(0))
    passes = make(graph, "Greater", [activated, zero])
    if limit is not None:
        below = make(graph, "Less", [activated, constant(graph, np.float32(limit))])
        passes = make(graph, "And", [passes, below])

    if is_image:
        replace_with_channels_last(graph, node, make(graph, "Where", [passes, gradient, zero]))
    else:
        replace(graph, node, "Where", [passes, gradient, zero])


def _sigmoid(graph: Any, node: Any, _name: str, _arguments: Sequence[Any]) -> None:
    """Multiply the gradient by y (1 - y)."""
    activated, gradient = node.input
    rest = make(graph, "Sub", [constant(graph, np.float32(1)), activated])
    slope = make(graph, "Mul", [activated, rest])
    replace(graph, node, "Mul", [gradient, slope])


def _max_pool(graph: Any, node: Any, _name: str, _arguments: Sequence[Any]) -> None:
    """Add each gradient to the pixel that was the first maximum of its window."""
    pixels, _, gradient = node.input
    shape = graph.get_shape(pixels)
    kernel = window(node, "ksize")
    strides = window(node, "strides")
    begins, ends = _padding(node, shape, graph.get_shape(gradient), kernel, strides)

    pooled = graph.make_node(
        "MaxPool",
        [transposed(graph, pixels, TO_FIRST)],
        attr={"kernel_shape": kernel, "strides": strides, "pads": [*begins, *ends]},
        output_count=2,
    )
    flat = constant(graph, np.array([-1]))
    places = make(graph, "Reshape", [pooled.output[1], flat])
    values = make(graph, "Reshape", [transposed(graph, gradient, TO_FIRST), flat])

    zero = constant(graph, np.zeros(1, np.float32))
    zeros = make(graph, "Expand", [zero, constant(graph, np.array([np.prod(shape)]))])
    summed = make(graph, "ScatterElements", [zeros, places, values], reduction="add")

    channels_first = constant(graph, np.array([shape[axis] for axis in TO_FIRST]))
    replace_with_channels_last(graph, node, make(graph, "Reshape", [summed, channels_first]))


def _average_pool(graph: Any, node: Any, _name: str, _arguments: Sequence[Any]) -> None:
    """Spread each gradient evenly over the pixels of its window, without those of the padding."""
    gradient = node.input[1]
    kernel = window(node, "ksize")
    strides = window(node, "strides")
    shape = graph.get_shape(node.output[0])
    cells = graph.get_shape(gradient)
    begins, _ = _padding(node, shape, cells, kernel, strides)

    rows, columns = (
        [min(i * s - b + k, size) - max(i * s - b, 0) for i in range(count)]
        for count, s, b, k, size in zip(
            cells[1:3], strides, begins, kernel, shape[1:3], strict=True
        )
    )
    counts = np.outer(rows, columns).astype(np.float32)
    share = make(graph, "Div", [gradient, constant(graph, counts[None, :, :, None])])

    ones = np.ones((shape[3], 1, *kernel), np.float32)
    _replace_with_convolution(graph, node, share, ones, groups=shape[3])


def _convolution(graph: Any, node: Any, _name: str, _arguments: Sequence[Any]) -> None:
    """Convolve the gradient with the flipped kernel.

    Convolutions to few channels are slow in onnxruntime, which fills them up to a block of
    channels. Its transposed convolution does not.
    """
    kernel = _kernel(graph, node)  # [height, width, in, out]
    if kernel.shape[2] < _BLOCK:
        _replace_with_transposed_convolution(graph, node, kernel.transpose(3, 2, 0, 1))
        return

    flipped = kernel[::-1, ::-1].transpose(2, 3, 0, 1)
    _replace_with_convolution(graph, node, node.input[2], flipped)


def _depthwise_convolution(graph: Any, node: Any, _name: str, _arguments: Sequence[Any]) -> None:
    """Convolve each channel's gradient with its flipped kernel."""
    kernel = _kernel(graph, node)  # [height, width, in, multiplier]
    flipped = kernel[::-1, ::-1].transpose(2, 3, 0, 1)

    _replace_with_convolution(graph, node, node.input[2], flipped, groups=kernel.shape[2])


def _replace_with_transposed_convolution(graph: Any, node: Any, kernel: np.ndarray) -> None:
    """Replace the node with a transposed convolution of `kernel` [out, in, height, width]."""
    gradient = node.input[2]
    shape = graph.get_shape(node.output[0])
    cells = graph.get_shape(gradient)
    size = list(kernel.shape[2:])
    strides = window(node, "strides")
    begins, ends = _padding(node, shape, cells, size, strides)

    rests = [
        length + begin + end - (count - 1) * stride - extent
        for length, begin, end, count, stride, extent in zip(
            shape[1:3], begins, ends, cells[1:3], strides, size, strict=True
        )
    ]
    convolved = make(
        graph,
        "ConvTranspose",
        [transposed(graph, gradient, TO_FIRST), constant(graph, np.ascontiguousarray(kernel))],
        kernel_shape=size,
        strides=strides,
        pads=[*begins, *ends],
        output_padding=rests,
    )
    replace_with_channels_last(graph, node, convolved)


def _replace_with_convolution(
    graph: Any, node: Any, gradient: str, kernel: np.ndarray, groups: int = 1
) -> None:
    """Replace the node with a convolution of the gradient [1, rows, columns, channels].

    `kernel`: [in, out / groups, height, width]. With strides above one, zeros are put between the
    gradient's cells first.
    """
    shape = graph.get_shape(node.output[0])
    size = list(kernel.shape[2:])
    strides = window(node, "strides")
    begins, _ = _padding(node, shape, graph.get_shape(gradient), size, strides)

    rows, columns = graph.get_shape(gradient)[1:3]
    spread = transposed(graph, gradient, TO_FIRST)
    ends = [
        length + begin - count * stride
        for length, begin, count, stride in zip(
            shape[1:3], begins, (rows, columns), strides, strict=True
        )
    ]
    if max(strides) > 1:
        spread = _with_gaps(graph, spread, (rows, columns), strides, [min(e, 0) for e in ends])

    pads = [length - 1 - begin for length, begin in zip(size, begins, strict=True)]
    convolved = make(
        graph,
        "Conv",
        [spread, constant(graph, np.ascontiguousarray(kernel, np.float32))],
        kernel_shape=size,
        pads=[*pads, *(max(e, 0) for e in ends)],
        group=groups,
    )
    replace_with_channels_last(graph, node, convolved)


def _with_gaps(
    graph: Any, tensor: str, cells: Sequence[int], strides: Sequence[int], ends: Sequence[int]
) -> str:
    """Put `stride - 1` zeros after each row and column of a tensor [1, C, rows, columns].

    `ends`: rows and columns to leave out at the end, as numbers up to 0.
    """
    (rows, columns), (down, across) = cells, strides
    scales = constant(graph, np.array([1, 1, down, across], np.float32))
    enlarged = make(
        graph,
        "Resize",
        [tensor, "", scales],
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    mask = np.zeros((1, 1, rows * down, columns * across), np.float32)
    mask[:, :, ::down, ::across] = 1
    spread = make(graph, "Mul", [enlarged, constant(graph, mask)])
    if not any(ends):
        return spread

    last = constant(graph, np.array([rows * down + ends[0], columns * across + ends[1]]))
    starts = constant(graph, np.array([0, 0]))
    return make(graph, "Slice", [spread, starts, last, constant(graph, np.array([2, 3]))])


def _padding(
    node: Any,
    pixels: Sequence[int],
    cells: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
) -> tuple[list[int], list[int]]:
    """Return the rows and columns that TensorFlow adds before and after the pixels."""
    method = node.get_attr("padding").s.decode()
    if method == "VALID":
        return [0, 0], [0, 0]
    if method != "SAME":
        raise ValueError(f"padding {method} is not differentiated")

    totals = [
        max((count - 1) * stride + size - length, 0)
        for length, count, size, stride in zip(
            pixels[1:3], cells[1:3], kernel, strides, strict=True
        )
    ]
    return [total // 2 for total in totals], [total - total // 2 for total in totals]


def _kernel(graph: Any, node: Any) -> np.ndarray:
    """Return the kernel of a convolution, as TensorFlow stores it."""
    if list(node.get_attr("dilations").ints) != [1, 1, 1, 1]:
        raise ValueError("dilated convolutions are not differentiated")

    weights = graph.get_node_by_output(node.input[1])
    while weights.type == "Identity":
        weights = weights.inputs[0]
    if not weights.is_const():
        raise ValueError("the kernel of a convolution is no constant")
    return np.asarray(weights.get_tensor_value(as_list=False))


HANDLERS: Mapping[str, tuple[Handler, list[Any]]] = {
    "AvgPoolGrad": (_average_pool, []),
    "Conv2DBackpropInput": (_convolution, []),
    "DepthwiseConv2dNativeBackpropInput": (_depthwise_convolution, []),
    "MaxPoolGrad": (_max_pool, []),
    "Relu6Grad": (_relu6, []),
    "ReluGrad": (_relu, []),
    "SigmoidGrad": (_sigmoid, []),
}
"""Handlers by the operation of TensorFlow, in the form that tf2onnx takes."""
