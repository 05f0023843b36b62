"""Draw heat in the frame of its source image: over the image, or alone with transparency."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service import geometry
from service.geometry import Affine
from service.records import DrawnHeat, Floats
from service.rendering import png
from service.rendering.caption import Caption, write_caption
from service.rendering.colormap import Colormap, table

Shape = tuple[int, int]
_BAND_ROWS = 256  # coloured at a time: the indices of a whole picture take eight bytes a pixel


class Render(StrEnum):
    """The picture to draw: the heat over the mammogram, or the heat alone."""

    OVERLAY = "overlay"
    HEATMAP = "heatmap"


@dataclass(frozen=True, slots=True)
class Style:
    """The style of a picture of heat.

    `opacity`: of heat at full strength, 0..1. `long_edge`: of the picture, in pixels. It is limited
    to that of the source, so infinity gives the size of the source.
    """

    colormap: Colormap
    opacity: float
    long_edge: float


@dataclass(frozen=True, slots=True)
class FramedPicture:
    """A PNG of the whole source image's frame.

    `to_source`: from its pixels to source pixels.
    """

    png: bytes
    height: int
    width: int
    to_source: Affine


def overlay(
    grey: NDArray[np.uint8],
    source_shape: Shape,
    heat: DrawnHeat,
    style: Style,
    text: Mapping[str, str],
    caption: Caption | None = None,
) -> FramedPicture:
    """Draw the heat over the mammogram, as RGB PNG. Without heat, the mammogram is unchanged.

    `grey`: the whole mammogram, at the size that the style asks for. `caption`: written into a
    corner that is free.
    """
    strength = png.to_bytes(lay(heat, source_shape, grey.shape))

    # Heat and grey of a pixel are two bytes, so its colour can be looked up.
    colours = _blended(style)
    picture = np.empty((*grey.shape, 3), np.uint8)
    for top in range(0, len(grey), _BAND_ROWS):
        band = slice(top, top + _BAND_ROWS)
        pairs = strength[band].astype(np.uint16) << 8 | grey[band]
        picture[band] = np.take(colours, pairs, axis=0)

    if caption is not None:
        write_caption(picture, source_shape, caption)
    return _picture(Image.fromarray(picture), source_shape, text)


def heat_alone(
    source_shape: Shape, heat: DrawnHeat, style: Style, text: Mapping[str, str]
) -> FramedPicture:
    """Draw the heat alone in the frame of its source, as indexed PNG.

    The palette index 0..255 is the heat relative to its full value. Alpha increases with it from
    0 to `style.opacity`.
    """
    shape = geometry.canvas(*source_shape, style.long_edge)
    strength = png.to_bytes(lay(heat, source_shape, shape))

    image = Image.fromarray(strength)
    image.putpalette(table(style.colormap).tobytes())
    alpha = png.to_bytes(np.linspace(0, style.opacity, 256, dtype=np.float32))
    image.info["transparency"] = alpha.tobytes()

    return _picture(image, source_shape, text)


def lay(heat: DrawnHeat, source_shape: Shape, shape: Shape) -> Floats:
    """Return the heat in [0, 1] on a picture [height, width] of the whole source.

    Heat at or above its full value is 1. The drawn heat is resampled bilinearly. Outside its box
    the heat is 0.
    """
    laid = np.zeros(shape, np.float32)

    # The maps from the picture's pixels to source pixels, and to the drawn grid.
    rows, columns = source_shape
    height, width = shape
    to_source = geometry.resize(columns, rows, width, height)
    to_grid = to_source.then(heat.to_source.inverse())

    # The part of the picture inside the box.
    box = heat.box
    vertical = _covered(box.top, box.bottom, to_source.scale_y, to_source.shift_y, height)
    horizontal = _covered(box.left, box.right, to_source.scale_x, to_source.shift_x, width)
    part = laid[vertical, horizontal]
    if heat.full_value == 0.0 or part.size == 0:
        return laid

    # Resample there, and saturate.
    part_to_grid = geometry.shift(horizontal.start, vertical.start).then(to_grid)
    part[...] = cv2.warpAffine(
        heat.values / np.float32(heat.full_value),
        np.array(part_to_grid.matrix()),
        part.shape[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    np.minimum(part, 1, out=part)
    return laid


def _blended(style: Style) -> NDArray[np.uint8]:
    """Return the RGB colour [65536, 3] of every pair of heat and grey, at heat * 256 + grey."""
    level = np.arange(256, dtype=np.float32)
    alpha = (level * np.float32(style.opacity / 255))[:, None, None]

    colours = level[None, :, None] * (1 - alpha) + table(style.colormap)[:, None, :] * alpha
    return np.asarray(colours + np.float32(0.5), dtype=np.uint8).reshape(-1, 3)


def _picture(image: Image.Image, source_shape: Shape, text: Mapping[str, str]) -> FramedPicture:
    """Encode a picture of the whole source."""
    to_source = geometry.resize(source_shape[1], source_shape[0], image.width, image.height)
    return FramedPicture(png.encode(image, text), image.height, image.width, to_source)


def _covered(start: int, stop: int, scale: float, shift: float, count: int) -> slice:
    """Return the pixels along one axis whose centres are in start .. stop of the source."""
    first, last = (np.ceil((edge - 0.5 - shift) / scale) for edge in (start, stop))
    return slice(max(int(first), 0), min(int(last), count))
