"""An image file: what its header says, its pixels, and its breast on the model's grid."""

from dataclasses import dataclass
from typing import Literal

from service.geometry import IDENTITY, Affine
from service.records.arrays import Floats, Mask, Pixels
from service.records.quality import QualityWarning

Side = Literal["left", "right"]
Laterality = Literal["L", "R"]
Derivation = Literal["synthesised", "contrast-enhanced", "biopsy"]


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
    warnings: tuple[QualityWarning, ...] = ()
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
