"""Draw heat in the frame of its source image: over the image, or alone with transparency."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from service import geometry
from service.geometry import Affine
from service.records import DrawnHeat, Floats
from service.rendering import png
from service.rendering.caption import Caption, write_caption
from service.rendering.colormap import Colormap, table
from service.rendering.picture_format import PictureFormat, encode
from service.rendering.png import Palette, Samples

Shape = tuple[int, int]
Part = tuple[slice, slice]
_BAND_ROWS = 64  # coloured at a time: they stay in the processor's cache


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
    picture_format: PictureFormat = PictureFormat.PNG


@dataclass(frozen=True, slots=True)
class FramedPicture:
    """A picture of the whole source image's frame.

    `content`: the file. `to_source`: from its pixels to source pixels.
    """

    content: bytes
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
    """Draw the heat over the mammogram as a file; see `overlay_samples`."""
    picture = overlay_samples(grey, source_shape, heat, style, caption)
    return _framed(picture, source_shape, style, text)


def overlay_samples(
    grey: NDArray[np.uint8],
    source_shape: Shape,
    heat: DrawnHeat,
    style: Style,
    caption: Caption | None = None,
) -> Samples:
    """Draw the heat over the mammogram, in RGB. Without heat, the mammogram is unchanged.

    `grey`: the whole mammogram, at the size that the style asks for. `caption`: written into a
    corner that is free, or, if it is required, into the one with the least breast.
    """
    picture = _coloured(grey, source_shape, heat, style)
    if caption is not None:
        write_caption(picture, source_shape, caption)
    return picture


def heat_alone(
    source_shape: Shape, heat: DrawnHeat, style: Style, text: Mapping[str, str]
) -> FramedPicture:
    """Draw the heat alone in the frame of its source, with transparency. A PNG is indexed.

    The palette index 0..255 is the heat relative to its full value. Alpha increases with it from
    0 to `style.opacity`.
    """
    shape = geometry.canvas(*source_shape, style.long_edge)
    strength = png.to_bytes(lay(heat, source_shape, shape))

    alpha = png.to_bytes(np.linspace(0, style.opacity, 256, dtype=np.float32))
    palette = Palette(table(style.colormap), alpha)
    return _framed(strength, source_shape, style, text, palette)


def lay(heat: DrawnHeat, source_shape: Shape, shape: Shape) -> Floats:
    """Return the heat in [0, 1] on a picture [height, width] of the whole source.

    Heat at or above its full value is 1. The drawn heat is resampled bilinearly. Outside its box
    the heat is 0.
    """
    laid = np.zeros(shape, np.float32)
    part, values = _laid_part(heat, source_shape, shape)
    laid[part] = values
    return laid


def _laid_part(heat: DrawnHeat, source_shape: Shape, shape: Shape) -> tuple[Part, Floats]:
    """Return the part of the picture that lies inside the heat's box, and the heat in it."""
    # The maps from the picture's pixels to source pixels, and to the drawn grid.
    rows, columns = source_shape
    height, width = shape
    to_source = geometry.resize(columns, rows, width, height)
    to_grid = to_source.then(heat.to_source.inverse())

    # The part of the picture inside the box.
    box = heat.box
    vertical = _covered(box.top, box.bottom, to_source.scale_y, to_source.shift_y, height)
    horizontal = _covered(box.left, box.right, to_source.scale_x, to_source.shift_x, width)
    part_height = max(vertical.stop - vertical.start, 0)
    part_width = max(horizontal.stop - horizontal.start, 0)
    if heat.full_value == 0.0 or part_height * part_width == 0:
        return (slice(0), slice(0)), np.zeros((0, 0), np.float32)

    # Resample there, and saturate.
    part_to_grid = geometry.shift(horizontal.start, vertical.start).then(to_grid)
    laid = cv2.warpAffine(
        heat.values / np.float32(heat.full_value),
        np.array(part_to_grid.matrix()),
        (part_width, part_height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return (vertical, horizontal), np.asarray(np.minimum(laid, 1, out=laid), np.float32)


def _coloured(grey: Samples, source_shape: Shape, heat: DrawnHeat, style: Style) -> Samples:
    """Return the colours [height, width, 3] of the mammogram with the heat over it."""
    part, values = _laid_part(heat, source_shape, grey.shape)
    strength = png.to_bytes(values)
    del values

    picture = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)
    colours = _blended(style)
    grey_part = grey[part]
    coloured_part = picture[part]

    # Heat and grey of a pixel are two bytes, so each of its colours can be looked up.
    for top in range(0, len(strength), _BAND_ROWS):
        band = slice(top, top + _BAND_ROWS)
        pairs = strength[band].astype(np.uint16) << 8 | grey_part[band]
        coloured_part[band] = cv2.merge([cv2.LUT(pairs, colour) for colour in colours])
    return picture


def _blended(style: Style) -> Samples:
    """Return the RGB colour [3, 65536] of every pair of heat and grey, at heat * 256 + grey."""
    level = np.arange(256, dtype=np.float32)
    alpha = (level * np.float32(style.opacity / 255))[:, None, None]

    colours = level[None, :, None] * (1 - alpha) + table(style.colormap)[:, None, :] * alpha
    rounded = np.asarray(colours + np.float32(0.5), dtype=np.uint8).reshape(-1, 3)
    return np.ascontiguousarray(rounded.T)


def _framed(
    samples: Samples,
    source_shape: Shape,
    style: Style,
    text: Mapping[str, str],
    palette: Palette | None = None,
) -> FramedPicture:
    """Encode a picture of the whole source."""
    height, width = samples.shape[:2]
    to_source = geometry.resize(source_shape[1], source_shape[0], width, height)
    content = encode(samples, style.picture_format, text, palette)
    return FramedPicture(content, height, width, to_source)


def _covered(start: int, stop: int, scale: float, shift: float, count: int) -> slice:
    """Return the pixels along one axis whose centres are in start .. stop of the source."""
    first, last = (np.ceil((edge - 0.5 - shift) / scale) for edge in (start, stop))
    return slice(max(int(first), 0), min(int(last), count))
