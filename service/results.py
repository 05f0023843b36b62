"""What the steps hand to one another: plain frozen records over arrays, no behaviour, no wire format.

Grids are indexed [row, column]; points and boxes are (x, y) = (column, row) in the convention of `service.geometry`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from service.geometry import IDENTITY, Affine

Pixels = NDArray[np.uint16]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

Side = Literal["left", "right"]
Laterality = Literal["L", "R"]
Stage = Literal["early", "middle", "deep"]
Derivation = Literal["synthesised", "contrast-enhanced", "biopsy"]


@dataclass(frozen=True, slots=True)
class Caution:
    """A typed warning that travels with a result: a stable kebab-case `code` and one sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the file says of itself; None where it does not say.

    Nothing here identifies a person but `sop_instance_uid`. `view_modifiers`: how the view differs from the plain one,
    in the words of PS3.16 CID 4015. `patient_orientation`: where a row and where a column run to (PS3.3 C.7.6.1.1.1).
    `derivation`: what the image was made from, if not from one exposure.
    """

    format: Literal["dicom", "png", "jpeg", "tiff"]
    rows: int
    columns: int
    bits: int
    photometric: str | None = None
    transfer_syntax: str | None = None
    lossy: bool | None = None
    window: str | None = None
    laterality: Laterality | None = None
    view: str | None = None
    view_modifiers: tuple[str, ...] = ()
    patient_orientation: tuple[str, str] | None = None
    implant: bool | None = None
    partial_view: bool | None = None
    burned_in_annotation: bool | None = None
    derivation: Derivation | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    sop_instance_uid: str | None = None


@dataclass(frozen=True, slots=True)
class Mammogram:
    """Calibrated greyscale pixels, 0 black .. 65535 white as displayed, and what the file says.

    `pixels` may be at a reduced resolution; `to_source` leads from their grid to that of the file.
    """

    pixels: Pixels
    facts: ImageFacts
    cautions: tuple[Caution, ...] = ()
    to_source: Affine = IDENTITY


@dataclass(frozen=True, slots=True)
class Box:
    """Half-open pixel box [left, right) x [top, bottom)."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns covered."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows covered."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class FitParameters:
    """How a mammogram becomes model input; written once by training, read from the manifest by the service.

    `height`, `width`: the model's grid. `margin`: the breast box is grown by this share of its longer edge.
    `white_percentile`: the percentile of the grey values inside the breast that becomes 1.0.
    """

    height: int
    width: int
    margin: float = 0.02
    white_percentile: float = 99.5


@dataclass(frozen=True, slots=True)
class Fitted:
    """A mammogram on the model's grid, and the way back.

    `image`: float32 [height, width, 1] in [0, 1], chest wall on the left, 0 outside the breast. `mask`: the breast on
    the same grid. `to_source`: from this grid to source pixels. `box`: the crop in source pixels. `side`: where the
    chest wall is in the source. `breast`: the breast as it lies in the source, on a grid of its own;
    `breast_to_source`: from that grid to source pixels.
    """

    image: Floats
    mask: Mask
    to_source: Affine
    box: Box
    side: Side
    breast: Mask
    breast_to_source: Affine


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
class Layer:
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


class Method(StrEnum):
    """How a heatmap comes about: from a layer's maps and gradients, or, the last three, from the input itself."""

    GRAD_CAM = "grad-cam"
    GRAD_CAM_PLUS_PLUS = "grad-cam-plus-plus"
    HIRES_CAM = "hires-cam"
    LAYER_CAM = "layer-cam"
    XGRAD_CAM = "xgrad-cam"
    EIGEN_CAM = "eigen-cam"
    INTEGRATED_GRADIENTS = "integrated-gradients"
    SMOOTH_GRAD = "smooth-grad"
    OCCLUSION = "occlusion"


class MapState(StrEnum):
    """Whether a heatmap says anything, and if not, why."""

    OK = "ok"
    DEAD_LAYER = "dead_layer"
    ZERO_GRADIENT = "zero_gradient"
    ALL_NEGATIVE = "all_negative"
    NOT_FINITE = "not_finite"


@dataclass(frozen=True, slots=True)
class Peak:
    """The hottest cell: its raw value, its (row, column) in the map and its centre in source pixels."""

    value: float
    row: int
    column: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Heatmap:
    """A map of heat and where it lies.

    `values`: raw, >= 0, float32 [h, w]; all zero, with no peak, unless `state` is ok. `to_source`: from cells to
    source pixels.
    """

    values: Floats
    to_source: Affine
    state: MapState
    peak: Peak | None


@dataclass(frozen=True, slots=True)
class Range:
    """The 1st and the 99th percentile of a figure over a model version's reference images."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of one image, the model version's reference range if it has one, and whether that is an alarm."""

    value: float
    reference: Range | None
    unusual: bool


@dataclass(frozen=True, slots=True)
class Domain:
    """What the images a model knows look like to it: `mean` [d] and `whitening` [d, d] of their features.

    `limit`: the distance from the mean, in standard deviations per feature, that 99 % of its reference images keep.
    """

    mean: Floats
    whitening: Floats
    limit: float


@dataclass(frozen=True, slots=True)
class Region:
    """A connected part of a heatmap above a level, in source pixels.

    `contour`: its outline, (x, y) by (x, y). `box`: (left, top, right, bottom) around it. `area_mm2`: None where the
    pixel spacing is not known. `heat_share`: of all the heat, 0..1. `peak`: its hottest point, with the raw value.
    """

    contour: list[tuple[float, float]]
    box: tuple[float, float, float, float]
    area: float
    area_mm2: float | None
    heat_share: float
    peak: tuple[float, float]
    peak_value: float


@dataclass(frozen=True, slots=True)
class FilterStatistics:
    """One filter's map in numbers: mean, maximum and share of cells at or below zero."""

    mean: float
    maximum: float
    zero_share: float
