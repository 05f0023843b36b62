"""A mammogram while it is fitted: its pixels, and their place in the source."""

import math
from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np

from service import geometry
from service.geometry import IDENTITY, Affine
from service.imaging.breast.border import crop, within_border
from service.imaging.reduction import from_reduced, reduce_resolution
from service.records import WHITE, Box, Mammogram, Pixels


@dataclass(frozen=True, slots=True)
class Extent:
    """A rectangle with fractional edges. The edges of pixel 0 are at -0.5 and 0.5."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Distance of the right edge from the left edge."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Distance of the bottom edge from the top edge."""
        return self.bottom - self.top

    def within(self, other: "Extent") -> "Extent":
        """Return the part that lies in the other rectangle."""
        return Extent(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def mapped(self, affine: Affine) -> "Extent":
        """Return the rectangle on another grid. A flip swaps its edges."""
        left, top = affine.apply(self.left, self.top)
        right, bottom = affine.apply(self.right, self.bottom)
        return Extent(min(left, right), min(top, bottom), max(left, right), max(top, bottom))

    def touched(self) -> Box:
        """Return the box of all pixels that the rectangle touches."""
        tolerance = 1e-6  # of a pixel: rounding of the maps
        return Box(
            left=int(np.floor(self.left + 0.5 + tolerance)),
            top=int(np.floor(self.top + 0.5 + tolerance)),
            right=int(np.ceil(self.right + 0.5 - tolerance)),
            bottom=int(np.ceil(self.bottom + 0.5 - tolerance)),
        )


@dataclass(frozen=True, slots=True)
class PlacedPicture:
    """A mammogram, possibly cropped, mirrored or at a reduced resolution.

    `pixels`: as displayed. `signal`: before the VOI transform, see `Mammogram`. `to_source`: from
    this grid to the pixels of the file. `extent`: the edges of the visible part of the file. At a
    reduced resolution they lie within the outermost pixels. `step`: distance of neighbouring pixels
    in pixels of the file.
    """

    pixels: Pixels
    signal: Pixels
    to_source: Affine
    extent: Extent
    step: int

    @classmethod
    def of(cls, mammogram: Mammogram) -> Self:
        """Return the whole picture of a decoded file."""
        to_source = mammogram.to_source
        source = _whole(mammogram.facts.rows, mammogram.facts.columns)
        return cls(
            pixels=mammogram.pixels,
            signal=mammogram.pixels if mammogram.signal is None else mammogram.signal,
            to_source=to_source,
            extent=source.mapped(to_source.inverse()),
            step=round(to_source.scale_y),
        )

    @classmethod
    def of_pixels(cls, pixels: Pixels) -> Self:
        """Return the picture of pixels without a file."""
        return cls(pixels, pixels, IDENTITY, _whole(*pixels.shape), 1)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        rows, columns = self.pixels.shape
        return rows, columns

    def without_border(self) -> Self:
        """Remove the constant border. Raises NoBreast if nothing is left."""
        frame = within_border(self.signal)
        rows, columns = self.shape

        # Only edges that were cut limit the visible part.
        edges = Extent(
            left=frame.left - 0.5 if frame.left else -math.inf,
            top=frame.top - 0.5 if frame.top else -math.inf,
            right=frame.right - 0.5 if frame.right < columns else math.inf,
            bottom=frame.bottom - 0.5 if frame.bottom < rows else math.inf,
        )

        pixels = crop(self.pixels, frame)
        signal = pixels if self.signal is self.pixels else crop(self.signal, frame)
        to_picture = geometry.shift(frame.left, frame.top)
        return replace(
            self,
            pixels=pixels,
            signal=signal,
            to_source=to_picture.then(self.to_source),
            extent=self.extent.within(edges).mapped(to_picture.inverse()),
        )

    def mirrored(self) -> Self:
        """Exchange left and right."""
        to_picture = geometry.flip(self.pixels.shape[1])

        pixels = cv2.flip(self.pixels, 1).astype(np.uint16, copy=False)
        signal = pixels
        if self.signal is not self.pixels:
            signal = cv2.flip(self.signal, 1).astype(np.uint16, copy=False)
        return replace(
            self,
            pixels=pixels,
            signal=signal,
            to_source=to_picture.then(self.to_source),
            extent=self.extent.mapped(to_picture),
        )

    def reduced(self, halvings: int) -> Self:
        """Halve the resolution several times."""
        if not halvings:
            return self

        pixels = reduce_resolution(self.pixels, halvings, (0, WHITE)).astype(np.uint16)
        signal = pixels
        if self.signal is not self.pixels:
            signal = reduce_resolution(self.signal, halvings, (0, WHITE)).astype(np.uint16)
        to_picture = from_reduced(halvings)
        return replace(
            self,
            pixels=pixels,
            signal=signal,
            to_source=to_picture.then(self.to_source),
            extent=self.extent.mapped(to_picture.inverse()),
            step=self.step * 2**halvings,
        )


def _whole(rows: int, columns: int) -> Extent:
    """Return the edges of a picture of that size."""
    return Extent(-0.5, -0.5, columns - 0.5, rows - 0.5)
