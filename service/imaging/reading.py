"""Read an image file in one call: decode it and fit it to the model's grid.

The service and training use the same call.
"""

import sys
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from service import geometry
from service.imaging.breast.fitting import fit_content, is_too_coarse, min_input_size
from service.imaging.breast.placed_picture import PlacedPicture
from service.imaging.decoding import OpenedImage, open_image
from service.imaging.dicom.acceptance import side_warnings
from service.imaging.limits import Limits
from service.observability.stopwatch import Lap, Stopwatch
from service.records import FitParameters, Fitted, ImageFacts, Mammogram, Pixels, QualityWarning

IMAGING_VERSION = 2
"""Version of the fitted pixels. It rises with every change of decoder or fit that changes them.

Images that training has prepared with another version are prepared again.
"""

Grey = NDArray[np.uint8]

_DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Reading:
    """A file, decoded and fitted. All coordinates are pixels of the file.

    `picture`: the mammogram as displayed, 0 black .. 255 white, or None if it was not requested.
    `laps`: start and duration of each step.
    """

    facts: ImageFacts
    fitted: Fitted
    warnings: tuple[QualityWarning, ...]
    picture: Grey | None
    laps: list[Lap]


class Read(Protocol):
    """Reader of image files, in this process or in a reader process."""

    def __call__(self, data: bytes, parameters: FitParameters, picture_edge: float = 0) -> Reading:
        """Read and fit the file.

        `picture_edge`: long edge of the picture in pixels, at most the file's own size is used. 0:
        no picture.

        Raises:
            ImageError: the file is not a readable mammogram.
        """
        ...


@dataclass(frozen=True, slots=True)
class ReadTask:
    """The work of reading one file, as it is sent to a reader process."""

    parameters: FitParameters
    picture_edge: float = 0

    def __call__(self, data: bytes, limits: Limits) -> Reading:
        """Read and fit the file; see `Read`."""
        return read(data, self.parameters, self.picture_edge, limits)


@dataclass(frozen=True, slots=True)
class PictureTask:
    """The work of reading a file's picture alone, at the file's own size."""

    def __call__(self, data: bytes, limits: Limits) -> Grey:
        """Return the mammogram as displayed, 0 black .. 255 white.

        Raises:
            ImageError: the file is not a readable mammogram.
        """
        image = open_image(data, limits)
        return _upper_bytes(image.decode(with_signal=False).pixels)


def read(
    data: bytes, parameters: FitParameters, picture_edge: float = 0, limits: Limits = _DEFAULT
) -> Reading:
    """Read and fit the file in this process; see `Read`.

    The file is read at the lowest resolution that the model's grid and the picture need.
    """
    timer = Stopwatch()
    with timer.step("decode"):
        image = open_image(data, limits)
        mammogram, content = _decode_for(parameters, image)
    with timer.step("fit"):
        fitted = fit_content(content, parameters)

    # A small breast needs the full resolution.
    if is_too_coarse(fitted):
        with timer.step("decode"):
            mammogram, content = _decode(image)
        with timer.step("fit"):
            fitted = fit_content(content, parameters)

    picture = None
    if picture_edge:
        with timer.step("decode"):
            picture = _draw(mammogram, image, picture_edge)

    sides = side_warnings(mammogram.facts, fitted.side)
    warnings = (*mammogram.warnings, *fitted.warnings, *sides)
    return Reading(mammogram.facts, fitted, warnings, picture, timer.laps)


def _decode_for(parameters: FitParameters, image: OpenedImage) -> tuple[Mammogram, PlacedPicture]:
    """Decode the file at a resolution that suffices for its content without the border.

    Returns the content, too.
    """
    min_size = min_input_size(parameters)
    mammogram, content = _decode(image, min_size)
    if content.step == 1 or not _is_smaller(content.shape, min_size):
        return mammogram, content

    # The file must be larger than the content by this factor.
    rows, columns = (
        size * whole / inner
        for size, whole, inner in zip(min_size, mammogram.pixels.shape, content.shape, strict=True)
    )
    return _decode(image, (rows, columns))


def _decode(
    image: OpenedImage, min_size: tuple[float, float] | None = None
) -> tuple[Mammogram, PlacedPicture]:
    """Decode the file; return its picture without the border, too."""
    mammogram = image.decode(min_size)
    return mammogram, PlacedPicture.of(mammogram).without_border()


def _is_smaller(shape: tuple[int, int], min_size: tuple[float, float]) -> bool:
    """Return whether the shape has fewer rows or columns."""
    return any(edge < size for edge, size in zip(shape, min_size, strict=True))


def _draw(mammogram: Mammogram, image: OpenedImage, long_edge: float) -> Grey:
    """Return the mammogram as displayed, with that long edge.

    `mammogram`: as it was decoded for the fit. It is used if its resolution is that of the picture.
    """
    rows = mammogram.facts.rows
    columns = mammogram.facts.columns
    height, width = geometry.canvas(rows, columns, long_edge)

    # The resolution of the fit may be too coarse for the picture, or needlessly fine.
    halvings = geometry.max_halvings(rows, columns, (height, width))
    is_whole = mammogram.pixels.shape == (rows, columns)
    if not is_whole and round(mammogram.to_source.scale_y) != 2**halvings:
        mammogram = image.decode((height, width), with_signal=False)
    pixels = mammogram.pixels

    # Full resolution: area averaging.
    if pixels.shape == (rows, columns):
        if (height, width) != pixels.shape:
            pixels = np.asarray(
                cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint16
            )
        return _upper_bytes(pixels)

    # Reduced resolution: sample where the wavelet places each pixel.
    to_pixels = geometry.resize(columns, rows, width, height).then(mammogram.to_source.inverse())
    picture = cv2.warpAffine(
        pixels,
        np.array(to_pixels.matrix()),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return _upper_bytes(np.asarray(picture, np.uint16))


def _upper_bytes(pixels: Pixels) -> Grey:
    """Return the upper byte of each pixel, in one pass over the memory."""
    upper = 1 if sys.byteorder == "little" else 0
    pairs = np.ascontiguousarray(pixels).view(np.uint8).reshape(*pixels.shape, 2)
    return np.asarray(cv2.extractChannel(pairs, upper), np.uint8)
