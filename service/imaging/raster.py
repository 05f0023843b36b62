"""Decode PNG, JPEG and TIFF to greyscale.

The readers of the formats tell by the header if a file is unsupported. All else that a library
refuses is damage.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from service import geometry
from service.imaging.limits import Limits
from service.imaging.polarity import INVERTED, is_negative
from service.imaging.rasters.jpeg_file import read_jpeg_file
from service.imaging.rasters.png_file import read_png
from service.imaging.rasters.samples import Raster
from service.imaging.rasters.samples import Samples as Stored
from service.imaging.rasters.tiff_file import read_tiff
from service.imaging.reduction import Pyramid, from_reduced
from service.imaging.sample_range import whole_range
from service.records import WHITE, ImageFacts, Mammogram, Pixels, SampleMeaning, Samples

RasterFormat = Literal["png", "jpeg", "tiff"]

_READERS: Mapping[RasterFormat, Callable[[bytes, Limits], Raster]] = {
    "png": read_png,
    "jpeg": read_jpeg_file,
    "tiff": read_tiff,
}

# Share of the range of 16 bits: values that span less come from a file of fewer bits.
_MIN_SPAN = 0.5


class RasterImage:
    """A file of that format, decoded, whose resolution can be reduced.

    ImageError as in `service.imaging.decoding`.
    """

    def __init__(self, data: bytes, raster_format: RasterFormat, limits: Limits) -> None:
        raster = _READERS[raster_format](data, limits)
        grey = _upright(raster.grey, raster.orientation)
        ends = _ends(grey, raster.bits)
        pixels = _scale(grey, *ends)
        inverted = is_negative(pixels)

        rows, columns = pixels.shape
        self._stored = grey
        self._meaning = SampleMeaning(
            slope=1.0,
            intercept=0.0,
            lowest=int(grey.min()),
            highest=int(grey.max()),
            padding=None,
            inverted=inverted,
            presets=(whole_range(*ends),),
        )
        self._positive = WHITE - pixels if inverted else pixels
        self._pyramid = Pyramid((0, WHITE))
        self._facts = ImageFacts(format=raster_format, rows=rows, columns=columns, bits=raster.bits)
        self._warnings = (INVERTED,) if inverted else ()

    def decode(
        self,
        min_size: tuple[float, float] | None = None,
        *,
        with_signal: bool = True,  # noqa: ARG002 - there is no VOI transform
    ) -> Mammogram:
        """Return the pixels; see `service.imaging.decoding.OpenedImage`."""
        rows, columns = self._positive.shape
        halvings = 0 if min_size is None else geometry.max_halvings(rows, columns, min_size)
        reduced = self._pyramid.reduced(self._positive, halvings) if halvings else self._positive
        return Mammogram(
            pixels=np.asarray(reduced, np.uint16),
            facts=self._facts,
            warnings=self._warnings,
            to_source=from_reduced(halvings),
        )

    def samples(self) -> Samples:
        """Return the values as stored; see `service.imaging.decoding.OpenedImage`."""
        return Samples(self._stored.astype(np.uint16, copy=False), self._meaning)


def _ends(samples: Stored, bits: int) -> tuple[int, int]:
    """Return the samples that are black and white.

    Fewer than 16 bits are scaled by their number. 16 bits that hold fewer, such as the 12 of a
    detector, are scaled by the range of their values.
    """
    whole = 2**bits - 1
    if whole < WHITE:
        return 0, whole

    lowest = int(samples.min())
    highest = int(samples.max())
    span = highest - lowest
    return (0, WHITE) if span == 0 or span >= _MIN_SPAN * WHITE else (lowest, highest)


def _scale(samples: Stored, black: int, white: int) -> Pixels:
    """Scale the samples to 0 black .. 65535 white."""
    if (black, white) == (0, WHITE):
        return samples.astype(np.uint16, copy=False)
    if black == 0 and WHITE % white == 0:
        return samples * np.uint16(WHITE // white)
    return _stretch(samples, black, white - black)


def _stretch(samples: Stored, lowest: int, span: int) -> Pixels:
    """Map the values from `lowest` to `lowest + span` to 0..65535."""
    unit = np.clip((np.arange(WHITE + 1) - lowest) / span, 0, 1)
    table = np.rint(unit * WHITE).astype(np.uint16)
    return table[samples]


def _upright(grey: Stored, orientation: object) -> Stored:
    """Apply the orientation of EXIF or TIFF, as viewers do."""
    if orientation in {5, 6, 7, 8}:
        grey = grey.T
    if orientation in {2, 3, 6, 7}:
        grey = grey[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        grey = grey[::-1]
    return np.ascontiguousarray(grey)
