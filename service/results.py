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
    """One forward pass: calibrated `probabilities` and raw `logits`, both float32 [N, classes]."""

    probabilities: Floats
    logits: Floats


@dataclass(frozen=True, slots=True)
class LayerGradients:
    """One forward and backward pass: a layer's maps and the gradients of the class margin to them.

    `maps`, `gradients`: float32 [N, h, w, filters]. `probabilities`: calibrated, float32 [N, classes].
    """

    maps: Floats
    gradients: Floats
    probabilities: Floats


class MapState(StrEnum):
    """Whether a class activation map says anything, and if not, why."""

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
    """A class activation map and where it lies.

    `values`: raw, >= 0, float32 [h, w]; all zero, with no peak, unless `state` is ok. `to_source`: from cells to
    source pixels.
    """

    values: Floats
    to_source: Affine
    state: MapState
    peak: Peak | None


@dataclass(frozen=True, slots=True)
class HeatmapDiagnostics:
    """How the heat lies relative to the breast; None throughout for a blank map.

    `heat_in_breast`: share of the heat, 0..1, in cells centred in the breast. `breast_share`: share of cells that
    are. `lift`: their ratio, 1 for a uniform map. `peak_in_breast`. `area_above_half`: share of cells at or above
    half the peak. `entropy`: of the heat over cells, divided by its maximum: 1 for a uniform map.
    """

    heat_in_breast: float | None
    breast_share: float | None
    lift: float | None
    peak_in_breast: bool | None
    area_above_half: float | None
    entropy: float | None


@dataclass(frozen=True, slots=True)
class FilterStatistics:
    """One filter's map in numbers: mean, maximum and share of cells at or below zero."""

    mean: float
    maximum: float
    zero_share: float
