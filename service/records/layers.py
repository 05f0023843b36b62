"""Layers of a network and the results of its passes."""

from dataclasses import dataclass
from typing import Literal

from service.geometry import Affine
from service.records.arrays import Floats

Stage = Literal["early", "middle", "deep"]


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """Where a layer's cells look, in input pixels.

    Cell (i, j) is centred on (x, y) = (stride_x * j + offset_x, stride_y * i + offset_y) and sees `width` x `height`
    pixels.
    """

    height: int
    width: int
    stride_y: float
    stride_x: float
    offset_y: float
    offset_x: float

    def to_input(self) -> Affine:
        """From cells to input pixels."""
        return Affine(self.stride_x, self.offset_x, self.stride_y, self.offset_y)


@dataclass(frozen=True, slots=True)
class ConvLayer:
    """A convolutional layer that can be explained: its grid, its depth in the network and its receptive field."""

    name: str
    height: int
    width: int
    filters: int
    stage: Stage
    receptive_field: ReceptiveField


@dataclass(frozen=True, slots=True)
class Scores:
    """One forward pass: calibrated `probabilities` and raw `logits` [N, classes], and `features` [N, d]; all float32.

    `features`: the mean of every filter's map in the layers that the manifest's domain names.
    """

    probabilities: Floats
    logits: Floats
    features: Floats


@dataclass(frozen=True, slots=True)
class LayerGradients:
    """One forward and backward pass: a layer's maps and the gradients of the class margin to them.

    `maps`, `gradients`: float32 [N, h, w, filters]. `scores`: of the same pass.
    """

    maps: Floats
    gradients: Floats
    scores: Scores
