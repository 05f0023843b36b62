"""Receptive fields of convolutional layers, followed exactly through the network's graph."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from service.records import ConvLayer, Method, ReceptiveField, Stage
from training.errors import NotExplainable
from training.introspection.grid import Axis, Grid, joined
from training.introspection.hooks import OperationCall, observed
from training.introspection.positions import has_known_activation, keeps_positions
from training.introspection.suited_methods import has_attention, suited_methods
from training.introspection.taps import chain_of, readers_of

_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
_POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
GLOBAL_POOLINGS = (keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D)
_FRAMES = (keras.layers.ZeroPadding2D, keras.layers.Cropping2D)
# Layers whose effect on the grid is computed. A subclass may do anything, so it is another layer.
_GEOMETRIES = (*_CONVOLUTIONS, *_POOLINGS, *_FRAMES)
_MAP_AXES = 4  # [N, h, w, c]
_VECTOR_AXES = 2  # [N, c]
_STAGES: tuple[Stage, ...] = ("early", "middle", "deep")


@dataclass(frozen=True, slots=True)
class _Rearranged:
    """Mark of a tensor whose cells may have moved: the operation that may have moved them."""

    name: str
    kind: str


# None for a tensor without a place in the image, such as a pooled vector or a gate.
_Place = Grid | _Rearranged | None


def convolutional_layers(model: keras.Model, height: int, width: int) -> list[ConvLayer]:
    """Return each convolutional layer of a functional or sequential model, in depth order.

    `height`, `width`: size of the network's input in pixels. Convolutions without a place in the
    image are left out, such as those of a squeeze-and-excitation gate. Grid, filters and receptive
    field are those of the layer's tap (see `taps`).

    Raises:
        NotExplainable: the effect of a layer on the grid is not known, a convolution depends on an
            operation that may move the cells of a map, or a convolution is used more than once.
    """
    images = keras.ops.zeros((1, height, width, model.input_shape[-1]))
    calls: list[OperationCall] = []
    with observed(model, calls.append):
        model(images, training=False)

    # Tensors have no usable equality, so places are kept by identity. `calls` keeps them alive.
    places: dict[int, _Place] = {id(images): Grid(Axis(height), Axis(width))}
    for call in calls:
        for output in keras.tree.flatten(call.output):
            # At inference a dropout returns its input itself, which keeps its place.
            if id(output) not in map(id, call.inputs):
                places[id(output)] = _place_after(call, output.shape, places)

    readers = readers_of(calls)
    located = [
        placed
        for call in calls
        if type(call.operation) in _CONVOLUTIONS
        and (placed := _placed(chain_of(call, readers), places))
    ]
    _check_unique([placed[0][0] for placed in located])

    # A vision transformer embeds its patches with its only convolution. What it makes of them is in
    # layers that cannot be explained.
    is_embedding = len(located) == 1 and has_attention(calls)

    return [
        _layer(
            placed,
            stage=_STAGES[3 * index // len(located)],
            methods=() if is_embedding else suited_methods(placed[-1][0].output, calls),
        )
        for index, placed in enumerate(located)
    ]


def _placed(
    chain: Iterable[OperationCall], places: Mapping[int, _Place]
) -> list[tuple[OperationCall, Grid]]:
    """Return the calls of a chain with the grids of their outputs.

    They end before a call that may move the cells of the map.
    """
    placed = []
    for call in chain:
        place = places[id(call.output)]
        if not isinstance(place, Grid):
            break
        placed.append((call, place))
    return placed


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


def _layer(
    placed: Sequence[tuple[OperationCall, Grid]], stage: Stage, methods: tuple[Method, ...]
) -> ConvLayer:
    """Return the layer of a chain's convolution, whose maps are the output of its last call."""
    last, grid = placed[-1]
    rows = grid.rows
    columns = grid.columns
    field = ReceptiveField(
        rows.extent, columns.extent, rows.stride, columns.stride, rows.centre, columns.centre
    )
    return ConvLayer(
        name=placed[0][0].name,
        height=rows.cells,
        width=columns.cells,
        filters=last.output.shape[-1],
        stage=stage,
        receptive_field=field,
        tap=tuple(call.name for call, _ in placed),
        methods=methods,
    )


def _place_after(call: OperationCall, shape: Any, places: dict[int, _Place]) -> _Place:
    """Return the place of an output of the call, a tensor of this shape."""
    unknown = [tensor for tensor in call.inputs if id(tensor) not in places]
    if unknown:
        raise NotExplainable(
            f"The input of layer {call.name!r} does not come from another layer; build the network "
            "functionally or sequentially."
        )

    placed = [place for tensor in call.inputs if (place := places[id(tensor)])]
    if not placed or len(shape) <= _VECTOR_AXES or isinstance(call.operation, GLOBAL_POOLINGS):
        return None

    marks = [place for place in placed if isinstance(place, _Rearranged)]
    if marks:
        return _still_rearranged(call, marks[0])

    gates = [tensor for tensor in call.inputs if not places[id(tensor)]]
    if _rearranges(call, shape, gates):
        return _Rearranged(call.name, type(call.operation).__name__)

    # The shape that Keras computed is the check that the layer was understood.
    grid = _through(call, _merged(call, [place for place in placed if isinstance(place, Grid)]))
    if grid.shape != tuple(shape[1:3]):
        raise _unsupported(call)
    return grid


def _still_rearranged(call: OperationCall, mark: _Rearranged) -> _Rearranged:
    """Return the mark of an input, and refuse a convolution that depends on such an input."""
    if isinstance(call.operation, _CONVOLUTIONS):
        raise NotExplainable(
            f"Layer {mark.name!r} ({mark.kind}) is not known to keep each cell of a map in its "
            f"place, and the convolution {call.name!r} depends on it: its heat could be drawn in "
            "another place. Rebuild the network with layers that keep positions, or put the layer "
            "after the last convolution."
        )

    return mark


def _rearranges(call: OperationCall, shape: Any, gates: list[Any]) -> bool:
    """Return whether the operation may move the cells of its maps.

    `shape`: that of its output. `gates`: its inputs without a place. They have to be one cell,
    which every cell of the maps meets alike.
    """
    operation = call.operation
    if type(operation) in _GEOMETRIES:
        return False
    if _has_window(operation):
        raise _unsupported(call)

    single_cells = all(tuple(gate.shape[1:-1]) == (1, 1) for gate in gates)
    return len(shape) != _MAP_AXES or not single_cells or not keeps_positions(operation)


def _merged(call: OperationCall, grids: list[Grid]) -> Grid:
    """Return the grid of a layer's merged inputs."""
    if len({(grid.shape, grid.rows.stride, grid.columns.stride) for grid in grids}) > 1:
        raise NotExplainable(f"Layer {call.name!r} joins grids of different sizes or strides.")

    return Grid(joined([grid.rows for grid in grids]), joined([grid.columns for grid in grids]))


def _through(call: OperationCall, grid: Grid) -> Grid:
    """Return the grid after the operation of `call` was applied to `grid`."""
    operation = call.operation
    if getattr(operation, "data_format", "channels_last") != "channels_last":
        raise NotExplainable(
            f"Layer {call.name!r} has its channels first; build the network with channels last."
        )

    if type(operation) in _CONVOLUTIONS:
        _check_activation(call)
        return grid.windowed(
            operation.kernel_size,
            operation.strides,
            operation.dilation_rate,
            operation.padding,
        )
    if type(operation) in _POOLINGS:
        return grid.windowed(operation.pool_size, operation.strides, (1, 1), operation.padding)

    if type(operation) is keras.layers.ZeroPadding2D:
        (top, bottom), (left, right) = operation.padding
        return Grid(grid.rows.padded(top, bottom), grid.columns.padded(left, right))
    if type(operation) is keras.layers.Cropping2D:
        (top, bottom), (left, right) = operation.cropping
        return Grid(grid.rows.padded(-top, -bottom), grid.columns.padded(-left, -right))

    return grid


def _check_activation(call: OperationCall) -> None:
    """Refuse a convolution with an activation that may move the cells of its map."""
    if not has_known_activation(call.operation):
        raise NotExplainable(
            f"Layer {call.name!r} has an activation that is not one of `keras.activations`; it may "
            "move the cells of the map."
        )


def _has_window(operation: keras.Operation) -> bool:
    """Return whether the operation or a layer inside it has a kernel or a pool."""
    inner = ()
    if isinstance(operation, keras.Layer):
        # Keras has no public way into a layer.
        inner = operation._flatten_layers(include_self=False)  # noqa: SLF001

    return any(
        hasattr(part, "kernel_size") or hasattr(part, "pool_size") for part in (operation, *inner)
    )


def _unsupported(call: OperationCall) -> NotExplainable:
    kind = type(call.operation).__name__
    return NotExplainable(
        f"Layer {call.name!r} ({kind}) moves the grid in an unknown way; supported are "
        "Keras' own convolutions, poolings, ZeroPadding2D and Cropping2D, but no subclass of them."
    )
