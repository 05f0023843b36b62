"""Layers of a network, and the results of its passes."""

from dataclasses import dataclass
from typing import Literal

from service.geometry import Affine
from service.records.arrays import Floats
from service.records.heatmap import Method

Stage = Literal["early", "middle", "deep"]


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """The part of the input that each cell of a layer depends on, in input pixels.

    Cell (i, j) is centred on (x, y) = (stride_x * j + offset_x, stride_y * i + offset_y) and
    depends on no pixel outside the `width` x `height` pixels around it.
    """

    height: int
    width: int
    stride_y: float
    stride_x: float
    offset_y: float
    offset_x: float

    def to_input(self) -> Affine:
        """Return the map from cells to input pixels."""
        return Affine(self.stride_x, self.offset_x, self.stride_y, self.offset_y)


@dataclass(frozen=True, slots=True)
class EffectiveSize:
    """The effective size of receptive fields, in input pixels: it is smaller than the whole.

    Few of the pixels that a cell can see move it much. If all pixels of a box of this size moved a
    cell alike, and no others, its squared gradients would have the variance along either axis that
    was measured.
    """

    height: float
    width: float


@dataclass(frozen=True, slots=True)
class ConvLayer:
    """A convolutional layer that can be explained.

    `height`, `width`: its grid, in cells. `stage`: its depth in the network. `tap`: names of the
    operations from the convolution to the one whose output its maps are, as `conv`, `conv_bn`,
    `conv_relu`. It is empty if a bundle does not say where its maps are taken. `methods`: those
    methods of a layer that mean something at this one. None if a bundle does not say.
    `effective_size`: None if it was not measured, or if no pixel moves the layer.
    """

    name: str
    height: int
    width: int
    filters: int
    stage: Stage
    receptive_field: ReceptiveField
    tap: tuple[str, ...] = ()
    methods: tuple[Method, ...] | None = None
    effective_size: EffectiveSize | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """Results of a forward pass: `probabilities`, `logits` [N, classes] and `features` [N, d].

    All are float32. `probabilities` are calibrated, `logits` are raw. `features`: the mean of every
    filter's map in the manifest's `feature_layers`. For a single image the axis N is missing.
    """

    probabilities: Floats
    logits: Floats
    features: Floats


@dataclass(frozen=True, slots=True)
class LayerGradients:
    """Results of a forward and backward pass: a layer's maps and their gradients.

    `maps`: float32 [N, h, w, filters]. `gradients`: of the class margin with respect to the maps,
    same type and shape. `scores`: of the same pass.
    """

    maps: Floats
    gradients: Floats
    scores: Scores
