"""An image file: facts of its header, its pixels, and the breast on the model's grid."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from service.geometry import IDENTITY, Affine
from service.records.arrays import Floats, Mask, Pixels
from service.records.quality import QualityWarning

Side = Literal["left", "right"]
Laterality = Literal["L", "R"]
FactSource = Literal["header", "caller", "file-name"]
"""Where side and view come from. Only the command line looks at the name of a file."""
Derivation = Literal["synthesised", "contrast-enhanced", "biopsy"]
SpacingPlane = Literal["breast", "detector"]


class View(StrEnum):
    """Views of a breast: the terms of PS3.3 C.8.11.7.1.1."""

    CC = "CC"
    MLO = "MLO"
    ML = "ML"
    LM = "LM"
    LMO = "LMO"
    SIO = "SIO"
    ISO = "ISO"
    FB = "FB"
    XCC = "XCC"
    XCCL = "XCCL"
    XCCM = "XCCM"
    CV = "CV"
    AT = "AT"


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Facts from the file's header. A fact that the file does not state is None.

    `format`: `fitted` for a tensor that was sent in place of a file. Side and view may also come
    from the caller. `..._source`: where they come from. Only `sop_instance_uid` can identify a
    person. `view_modifiers`: how the view differs from the plain one, in the words of PS3.16 CID
    4015. `patient_orientation`: the directions of a row and of a column (PS3.3 C.7.6.1.1.1).
    `derivation`: how the image was made, if not from one exposure. `pixel_spacing_mm`: between
    rows, between columns. `pixel_spacing_plane`: where it holds. At the detector, the breast
    appears magnified.
    """

    format: Literal["dicom", "png", "jpeg", "tiff", "fitted"]
    rows: int
    columns: int
    bits: int
    photometric: str | None = None
    transfer_syntax: str | None = None
    lossy: bool | None = None
    window: str | None = None
    laterality: Laterality | None = None
    laterality_source: FactSource | None = None
    view: str | None = None
    view_source: FactSource | None = None
    view_modifiers: tuple[str, ...] = ()
    patient_orientation: tuple[str, str] | None = None
    implant: bool | None = None
    partial_view: bool | None = None
    burned_in_annotation: bool | None = None
    derivation: Derivation | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    pixel_spacing_plane: SpacingPlane | None = None
    sop_instance_uid: str | None = None


@dataclass(frozen=True, slots=True)
class NamedFacts:
    """Side and view of an image as `source` names them. None where it does not."""

    laterality: Laterality | None = None
    view: View | None = None
    source: Literal["caller", "file-name"] = "caller"


@dataclass(frozen=True, slots=True)
class Mammogram:
    """Calibrated greyscale pixels, 0 black .. 65535 white as displayed, and the file's facts.

    `pixels` may have a reduced resolution. `to_source`: from their grid to the file's pixels.
    `signal`: the grey values before the VOI transform on the same grid, air dark, from 0 to 65535
    over the range of the values, padding 0. None if `pixels` are these values.
    """

    pixels: Pixels
    facts: ImageFacts
    warnings: tuple[QualityWarning, ...] = ()
    to_source: Affine = IDENTITY
    signal: Pixels | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A half-open pixel box [left, right) x [top, bottom)."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class FitParameters:
    """How a mammogram becomes model input, set by training and read from the manifest.

    `height`, `width`: the model's grid, in pixels. `margin`: the breast box grows by this share of
    its longer edge. `white_percentile`: the percentile of the grey values inside the breast that
    becomes 1.0.
    """

    height: int
    width: int
    margin: float = 0.02
    white_percentile: float = 99.5


@dataclass(frozen=True, slots=True)
class Fitted:
    """A mammogram on the model's grid, and the maps back to the source.

    `image`: float32 [height, width, 1] in [0, 1], chest wall on the left, 0 outside the breast.
    `mask`: the breast on the same grid. `to_source`: from this grid to source pixels. `box`: the
    crop in source pixels. `side`: the side of the chest wall in the source. `breast`: the breast as
    oriented in the source, on a separate grid. `breast_to_source`: from that grid to source pixels.
    `reduction`: the file was read at 1 / reduction of its resolution along each axis. `warnings`:
    doubts about outline and side.
    """

    image: Floats
    mask: Mask
    to_source: Affine
    box: Box
    side: Side
    breast: Mask
    breast_to_source: Affine
    reduction: int = 1
    warnings: tuple[QualityWarning, ...] = ()
