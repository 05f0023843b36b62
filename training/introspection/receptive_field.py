"""Receptive fields of convolutional layers, followed exactly through the network's graph.

The arithmetic is that of Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional
Neural Networks", Distill 2019. Padding "same" is TensorFlow's: the minimum that gives
ceil(cells / stride) cells, with an odd cell added at the bottom and right.
"""

from collections import Counter
from dataclasses import dataclass
from functools import reduce
from typing import Any

import keras

from service.records import ConvLayer, ReceptiveField, Stage
from training.errors import NotExplainable
from training.introspection.hooks import OperationCall, observed
from training.introspection.taps import chain_of, readers_of

_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
_POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
_GLOBAL_POOLINGS = (keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D)
_MAP_AXES = 4  # [N, h, w, c]
_STAGES: tuple[Stage, ...] = ("early", "middle", "deep")


@dataclass(frozen=True, slots=True)
class _Axis:
    """One axis of a grid of cells.

    Each of its `cells` sees `size` input pixels. Neighbours are `stride` pixels apart, and the
    first cell sees from pixel `start` on.
    """

    cells: int
    size: int = 1
    stride: int = 1
    start: int = 0

    @property
    def centre(self) -> float:
        """The centre of the first cell's field, in input pixels."""
        return self.start + (self.size - 1) / 2

    def padded(self, before: int, after: int) -> "_Axis":
        """Return the axis with cells added at both ends, or cut off where a number is negative."""
        return _Axis(
            self.cells + before + after, self.size, self.stride, self.start - before * self.stride
        )

    def slid_over(self, extent: int, step: int) -> "_Axis":
        """Return the axis after a window of `extent` cells that moves by `step` inside the grid."""
        return _Axis(
            (self.cells - extent) // step + 1,
            self.size + (extent - 1) * self.stride,
            self.stride * step,
            self.start,
        )

    def joined(self, other: "_Axis") -> "_Axis":
        """Return the axis whose cells see the union of the fields of both axes' cells."""
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)

        return _Axis(self.cells, end - start, self.stride, start)


@dataclass(frozen=True, slots=True)
class _Grid:
    """The cells of a tensor [N, h, w, c] and the input pixels that they see."""

    rows: _Axis
    columns: _Axis

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and columns."""
        return self.rows.cells, self.columns.cells


def convolutional_layers(model: keras.Model, height: int, width: int) -> list[ConvLayer]:
    """Return each convolutional layer of a functional or sequential model, in depth order.

    `height`, `width`: size of the network's input in pixels. Convolutions without a place in the
    image are left out, such as those of a squeeze-and-excitation gate. Grid, filters and receptive
    field are those of the layer's tap (see `taps`).

    Raises:
        NotExplainable: the effect of a layer on the grid is not known, or a convolution is used
            more than once.
    """
    images = keras.ops.zeros((1, height, width, model.input_shape[-1]))
    calls: list[OperationCall] = []
    with observed(model, calls.append):
        model(images, training=False)

    # Tensors have no usable equality, so grids are kept by identity. `calls` keeps them alive.
    grids: dict[int, _Grid | None] = {id(images): _Grid(_Axis(height), _Axis(width))}
    for call in calls:
        grids[id(call.output)] = _grid_after(call, grids)

    # The layers of a chain keep its place, so a tap has one if its convolution has.
    readers = readers_of(calls)
    located = [
        (chain, grid)
        for call in calls
        if isinstance(call.operation, _CONVOLUTIONS)
        and (chain := chain_of(call, readers))
        and (grid := grids[id(chain[-1].output)])
    ]
    _check_unique([chain[0] for chain, _ in located])

    return [
        _layer(chain, grid, _STAGES[3 * index // len(located)])
        for index, (chain, grid) in enumerate(located)
    ]


def _check_unique(convolutions: list[OperationCall]) -> None:
    """Refuse a network without convolutions, and a convolution that is used more than once."""
    if not convolutions:
        raise NotExplainable(
            "The network has no convolutional layer, so there is nothing to explain."
        )

    name, uses = Counter(call.name for call in convolutions).most_common(1)[0]
    if uses > 1:
        raise NotExplainable(
            f"Layer {name!r} is used {uses} times, so it has no single map; give each use a layer "
            "of its own."
        )


def _layer(chain: list[OperationCall], grid: _Grid, stage: Stage) -> ConvLayer:
    """Return the layer of the chain's convolution, whose maps are the output of its last call."""
    rows = grid.rows
    columns = grid.columns
    field = ReceptiveField(
        rows.size, columns.size, rows.stride, columns.stride, rows.centre, columns.centre
    )
    return ConvLayer(
        name=chain[0].name,
        height=rows.cells,
        width=columns.cells,
        filters=chain[-1].output.shape[-1],
        stage=stage,
        receptive_field=field,
        tap=tuple(call.name for call in chain),
    )


def _grid_after(call: OperationCall, grids: dict[int, _Grid | None]) -> _Grid | None:
    """Return the grid of the call's output.

    None for a tensor without a place in the image, such as a pooled vector or a gate.
    """
    unknown = [tensor for tensor in call.inputs if id(tensor) not in grids]
    if unknown:
        raise NotExplainable(
            f"The input of layer {call.name!r} does not come from another layer; build the network "
            "functionally or sequentially."
        )

    placed = [grid for tensor in call.inputs if (grid := grids[id(tensor)])]
    if not placed or len(call.output.shape) != _MAP_AXES:
        return None
    if isinstance(call.operation, _GLOBAL_POOLINGS):
        return None

    # The shape that Keras computed is the check that the layer was understood.
    grid = _through(call, _merged(call, placed))
    if grid.shape != tuple(call.output.shape[1:3]):
        raise _unsupported(call)
    return grid


def _merged(call: OperationCall, grids: list[_Grid]) -> _Grid:
    """Return the grid of a layer's merged inputs."""
    if len({(grid.shape, grid.rows.stride, grid.columns.stride) for grid in grids}) > 1:
        raise NotExplainable(f"Layer {call.name!r} joins grids of different sizes or strides.")

    return reduce(
        lambda one, two: _Grid(one.rows.joined(two.rows), one.columns.joined(two.columns)), grids
    )


def _through(call: OperationCall, grid: _Grid) -> _Grid:
    """Return the grid after the operation of `call` was applied to `grid`."""
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
        raise _unsupported(call)
    return grid


def _has_window(operation: keras.Operation) -> bool:
    """Return whether the operation or a layer inside it has a kernel or a pool."""
    inner = ()
    if isinstance(operation, keras.Layer):
        # Keras has no public way into a layer.
        inner = operation._flatten_layers(include_self=False)  # noqa: SLF001

    return any(
        hasattr(part, "kernel_size") or hasattr(part, "pool_size") for part in (operation, *inner)
    )


def _windowed(grid: _Grid, size: Any, strides: Any, dilation: Any, padding: str) -> _Grid:
    """Return the grid after a convolution or pooling."""
    axes = zip((grid.rows, grid.columns), size, strides, dilation, strict=True)
    return _Grid(
        *(_window(axis, (length - 1) * gap + 1, step, padding) for axis, length, step, gap in axes)
    )


def _window(axis: _Axis, extent: int, step: int, padding: str) -> _Axis:
    """Return the axis after a window of `extent` cells with the padding "valid" or "same"."""
    if padding == "valid":
        return axis.slid_over(extent, step)

    cells = -(-axis.cells // step)
    missing = max((cells - 1) * step + extent - axis.cells, 0)
    return axis.padded(missing // 2, missing - missing // 2).slid_over(extent, step)


def _unsupported(call: OperationCall) -> NotExplainable:
    kind = type(call.operation).__name__
    return NotExplainable(
        f"Layer {call.name!r} ({kind}) moves the grid in an unknown way; supported are "
        "convolutions, poolings, ZeroPadding2D and Cropping2D."
    )
