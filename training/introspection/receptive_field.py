"""Where the cells of a convolutional layer look in the network's input, followed exactly through the graph.

The arithmetic is that of Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks",
Distill 2019. Padding "same" is TensorFlow's: as little as makes ceil(cells / stride) cells, the odd one at the bottom
and right.
"""

from collections import Counter
from dataclasses import dataclass
from functools import reduce
from typing import Any

import keras

from service.records import ConvLayer, ReceptiveField, Stage
from training.errors import NotExplainable
from training.introspection.hooks import OperationCall, observed

_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
_POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
_GLOBAL_POOLINGS = (keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D)
_STAGES: tuple[Stage, ...] = ("early", "middle", "deep")


@dataclass(frozen=True, slots=True)
class _Axis:
    """One axis of a grid: `cells` that see `size` input pixels each, `stride` apart, the first from pixel `start`."""

    cells: int
    size: int = 1
    stride: int = 1
    start: int = 0

    @property
    def centre(self) -> float:
        return self.start + (self.size - 1) / 2

    def padded(self, before: int, after: int) -> "_Axis":
        """The axis with cells added at both ends, or cut off where negative."""
        return _Axis(
            self.cells + before + after, self.size, self.stride, self.start - before * self.stride
        )

    def slid_over(self, extent: int, step: int) -> "_Axis":
        """The axis of a window of `extent` cells that moves by `step` cells and never leaves the grid."""
        return _Axis(
            (self.cells - extent) // step + 1,
            self.size + (extent - 1) * self.stride,
            self.stride * step,
            self.start,
        )

    def joined(self, other: "_Axis") -> "_Axis":
        """The axis whose cells see what the cells of either see."""
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return _Axis(self.cells, end - start, self.stride, start)


@dataclass(frozen=True, slots=True)
class _Grid:
    """The cells of a tensor [N, h, w, c] and what they see."""

    rows: _Axis
    columns: _Axis

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows.cells, self.columns.cells


def convolutional_layers(model: keras.Model, height: int, width: int) -> list[ConvLayer]:
    """Every convolutional layer of a functional or sequential model, in depth order, for inputs of that size in pixels.

    Convolutions without a place in the image, as those of a squeeze-and-excitation gate, are left out.

    Raises:
        NotExplainable: what a layer does to the grid is not known, or a convolution is used more than once.
    """
    images = keras.ops.zeros((1, height, width, model.input_shape[-1]))
    calls: list[OperationCall] = []
    with observed(model, calls.append):
        model(images, training=False)
    grids: dict[int, _Grid | None] = {id(images): _Grid(_Axis(height), _Axis(width))}
    for call in calls:
        grids[id(call.output)] = _grid_after(call, grids)
    located = [
        (call, grid)
        for call in calls
        if isinstance(call.operation, _CONVOLUTIONS) and (grid := grids[id(call.output)])
    ]
    if not located:
        raise NotExplainable(
            "The network has no convolutional layer, so there is nothing to explain."
        )
    name, uses = Counter(call.name for call, _ in located).most_common(1)[0]
    if uses > 1:
        raise NotExplainable(
            f"Layer {name!r} is used {uses} times, so it has no one map; give each use a layer of its own."
        )
    return [
        _layer(call, grid, _STAGES[3 * index // len(located)])
        for index, (call, grid) in enumerate(located)
    ]


def _layer(call: OperationCall, grid: _Grid, stage: Stage) -> ConvLayer:
    rows, columns = grid.rows, grid.columns
    field = ReceptiveField(
        rows.size, columns.size, rows.stride, columns.stride, rows.centre, columns.centre
    )
    return ConvLayer(call.name, rows.cells, columns.cells, call.output.shape[-1], stage, field)


def _grid_after(call: OperationCall, grids: dict[int, _Grid | None]) -> _Grid | None:
    """The grid of the call's output; None for what has no place in the image (a pooled vector, a gate)."""
    unknown = [tensor for tensor in call.inputs if id(tensor) not in grids]
    if unknown:
        raise NotExplainable(
            f"The input of layer {call.name!r} does not come from another layer; build the network functionally or "
            "sequentially."
        )
    placed = [grid for tensor in call.inputs if (grid := grids[id(tensor)])]
    if not placed or len(call.output.shape) != 4 or isinstance(call.operation, _GLOBAL_POOLINGS):  # noqa: PLR2004 - [N, h, w, c]
        return None
    grid = _through(call, _merged(call, placed))
    if grid.shape != tuple(call.output.shape[1:3]):
        raise _untold(call)
    return grid


def _merged(call: OperationCall, grids: list[_Grid]) -> _Grid:
    if len({(grid.shape, grid.rows.stride, grid.columns.stride) for grid in grids}) > 1:
        raise NotExplainable(f"Layer {call.name!r} joins grids of different sizes or strides.")
    return reduce(
        lambda one, two: _Grid(one.rows.joined(two.rows), one.columns.joined(two.columns)), grids
    )


def _through(call: OperationCall, grid: _Grid) -> _Grid:
    operation = call.operation
    if getattr(operation, "data_format", "channels_last") != "channels_last":
        raise NotExplainable(
            f"Layer {call.name!r} has its channels first; build the network with channels last."
        )
    if isinstance(operation, _CONVOLUTIONS):
        return _windowed(
            grid,
            operation.kernel_size,
            operation.strides,
            operation.dilation_rate,
            operation.padding,
        )
    if isinstance(operation, _POOLINGS):
        return _windowed(grid, operation.pool_size, operation.strides, (1, 1), operation.padding)
    if isinstance(operation, keras.layers.ZeroPadding2D):
        (top, bottom), (left, right) = operation.padding
        return _Grid(grid.rows.padded(top, bottom), grid.columns.padded(left, right))
    if isinstance(operation, keras.layers.Cropping2D):
        (top, bottom), (left, right) = operation.cropping
        return _Grid(grid.rows.padded(-top, -bottom), grid.columns.padded(-left, -right))
    if _has_window(operation):
        raise _untold(call)
    return grid


def _has_window(operation: keras.Operation) -> bool:
    """Whether an operation, or a layer hidden in it, looks beyond its own cell in a way not handled here."""
    hidden = ()
    if isinstance(operation, keras.Layer):
        hidden = operation._flatten_layers(include_self=False)  # noqa: SLF001 - there is no public way into a layer
    return any(
        hasattr(each, "kernel_size") or hasattr(each, "pool_size") for each in (operation, *hidden)
    )


def _windowed(grid: _Grid, size: Any, strides: Any, dilation: Any, padding: str) -> _Grid:
    axes = zip((grid.rows, grid.columns), size, strides, dilation, strict=True)
    return _Grid(
        *(_window(axis, (length - 1) * gap + 1, step, padding) for axis, length, step, gap in axes)
    )


def _window(axis: _Axis, extent: int, step: int, padding: str) -> _Axis:
    if padding == "valid":
        return axis.slid_over(extent, step)
    cells = -(-axis.cells // step)
    missing = max((cells - 1) * step + extent - axis.cells, 0)
    return axis.padded(missing // 2, missing - missing // 2).slid_over(extent, step)


def _untold(call: OperationCall) -> NotExplainable:
    kind = type(call.operation).__name__
    return NotExplainable(
        f"How layer {call.name!r} ({kind}) moves the grid is not known; convolutions, poolings, ZeroPadding2D and "
        "Cropping2D are."
    )
