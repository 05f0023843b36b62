"""The whole of imaging in one call: an image file in, the model's input out, for the service and training alike."""

from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from service import geometry
from service.imaging.breast.fitting import fit, map_box, min_input_size
from service.imaging.decoding import decode
from service.imaging.dicom.acceptance import side_warnings
from service.imaging.limits import Limits
from service.observability.stopwatch import Lap, Stopwatch
from service.records import Box, FitParameters, Fitted, ImageFacts, Mammogram, QualityWarning

Grey = NDArray[np.uint8]

_DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Reading:
    """A file, read and fitted; everything in it lies in the pixels of the file.

    `picture`: the mammogram as displayed, 0 black .. 255 white, where one was asked for. `laps`: when each
    step was taken, and for how long.
    """

    facts: ImageFacts
    fitted: Fitted
    warnings: tuple[QualityWarning, ...]
    picture: Grey | None
    laps: list[Lap]


class Read(Protocol):
    """How image files are read: in this process, or in another that may be lost over it."""

    def __call__(self, data: bytes, parameters: FitParameters, picture_edge: float = 0) -> Reading:
        """The file, read and fitted, with a picture whose long edge has so many pixels, at most the file's own.

        Raises:
            ImageError: it is no mammogram that can be read.
        """
        ...


def read(
    data: bytes, parameters: FitParameters, picture_edge: float = 0, limits: Limits = _DEFAULT
) -> Reading:
    """What `Read` promises, in this process.

    JPEG 2000 is decoded at the resolution that the model's grid and the picture need; where the breast turns out to be
    so small that this was too coarse, in full.
    """
    timer = Stopwatch()
    with timer.step("decode"):
        mammogram = decode(data, limits, min_size=min_input_size(parameters))
    with timer.step("fit"):
        fitted = _fit(mammogram, parameters)
    if fitted.to_source.scale_y < mammogram.to_source.scale_y:
        with timer.step("decode"):
            mammogram = decode(data, limits)
        with timer.step("fit"):
            fitted = _fit(mammogram, parameters)
    picture = None
    if picture_edge:
        with timer.step("decode"):
            picture = _draw(mammogram, data, limits, picture_edge)
    warnings = (*mammogram.warnings, *side_warnings(mammogram.facts, fitted.side))
    return Reading(mammogram.facts, fitted, warnings, picture, timer.laps)


def _fit(mammogram: Mammogram, parameters: FitParameters) -> Fitted:
    """The mammogram on the model's grid, and the way back to the pixels of its file."""
    fitted, to_source = fit(mammogram.pixels, parameters), mammogram.to_source
    box = map_box(fitted.box, to_source)
    return replace(
        fitted,
        to_source=fitted.to_source.then(to_source),
        breast_to_source=fitted.breast_to_source.then(to_source),
        box=Box(
            left=max(box.left, 0),
            top=max(box.top, 0),
            right=min(box.right, mammogram.facts.columns),
            bottom=min(box.bottom, mammogram.facts.rows),
        ),
    )


def _draw(mammogram: Mammogram, data: bytes, limits: Limits, long_edge: float) -> Grey:
    """The mammogram as displayed, on the canvas of that long edge."""
    rows, columns = mammogram.facts.rows, mammogram.facts.columns
    height, width = geometry.canvas(rows, columns, long_edge)
    if mammogram.pixels.shape != (rows, columns):
        mammogram = decode(data, limits, min_size=(height, width))
    pixels = mammogram.pixels
    if pixels.shape == (rows, columns):
        if (height, width) != pixels.shape:
            pixels = np.asarray(
                cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint16
            )
        return (pixels >> 8).astype(np.uint8)
    to_pixels = geometry.resize(columns, rows, width, height).then(mammogram.to_source.inverse())
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(
        pixels,
        np.array(to_pixels.matrix()),
        (width, height),
        flags=flags,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return (np.asarray(drawn, np.uint16) >> 8).astype(np.uint8)
