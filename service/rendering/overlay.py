"""A heatmap on the grid of its source image: laid over the image, or alone and transparent for a viewer to lay."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service import geometry
from service.geometry import Affine, linear_weights
from service.records import Box, Floats, Heatmap
from service.rendering import png
from service.rendering.colormap import Colormap, table

Shape = tuple[int, int]


class Render(StrEnum):
    """What to draw: the heat over the mammogram, or the heat alone."""

    OVERLAY = "overlay"
    HEATMAP = "heatmap"


@dataclass(frozen=True, slots=True)
class Style:
    """How heat is drawn.

    `opacity`: of the hottest cell, 0..1. `long_edge`: of the picture in pixels, at most the source's own, which is what
    infinity gives.
    """

    colormap: Colormap
    opacity: float
    long_edge: float


@dataclass(frozen=True, slots=True)
class FramedPicture:
    """A PNG of the whole source image's frame; `to_source` leads from its pixels to the source's."""

    png: bytes
    height: int
    width: int
    to_source: Affine


def overlay(
    grey: NDArray[np.uint8],
    source_shape: Shape,
    heatmap: Heatmap,
    box: Box,
    style: Style,
    text: Mapping[str, str],
) -> FramedPicture:
    """RGB PNG of the mammogram under its heat; where there is no heat the mammogram is untouched.

    `grey`: the whole mammogram, drawn on the canvas of the style. `box`: the part of the source that the network saw.
    """
    heat = png.to_bytes(lay(heatmap, box, source_shape, grey.shape))
    picture = np.take(_blended(style), heat.astype(np.uint16) << 8 | grey, axis=0)
    return _picture(Image.fromarray(picture), source_shape, text)


def heat_alone(
    source_shape: Shape, heatmap: Heatmap, box: Box, style: Style, text: Mapping[str, str]
) -> FramedPicture:
    """Indexed PNG of the heat alone on the frame of its source.

    Palette index 0..255 is the heat relative to the hottest cell; alpha grows with it from 0 to `style.opacity`.
    """
    heat = lay(heatmap, box, source_shape, geometry.canvas(*source_shape, style.long_edge))
    image = Image.fromarray(png.to_bytes(heat))
    image.putpalette(table(style.colormap).tobytes())
    alpha = png.to_bytes(np.linspace(0, style.opacity, 256, dtype=np.float32))
    image.info["transparency"] = alpha.tobytes()
    return _picture(image, source_shape, text)


def lay(heatmap: Heatmap, box: Box, source_shape: Shape, shape: Shape) -> Floats:
    """The heat in [0, 1] (1 = hottest cell) on a [height, width] picture of the whole source; 0 outside `box`.

    Bilinear between cell centres. Beyond the outermost centres the value holds up to the box: that rim is what the
    outermost receptive fields still see.
    """
    if heatmap.peak is None:
        return np.zeros(shape, np.float32)
    (rows, columns), (height, width) = source_shape, shape
    to_source = geometry.resize(columns, rows, width, height)
    to_cell = to_source.then(heatmap.to_source.inverse())
    seen = np.s_[
        _covered(box.top, box.bottom, to_source.scale_y, to_source.shift_y, height),
        _covered(box.left, box.right, to_source.scale_x, to_source.shift_x, width),
    ]
    down = linear_weights(to_cell.scale_y, to_cell.shift_y, height, heatmap.values.shape[0])[
        seen[0]
    ]
    across = linear_weights(to_cell.scale_x, to_cell.shift_x, width, heatmap.values.shape[1])[
        seen[1]
    ]
    heat = np.zeros(shape, np.float32)
    heat[seen] = np.clip(down @ (heatmap.values / np.float32(heatmap.peak.value)) @ across.T, 0, 1)
    return heat


def _blended(style: Style) -> NDArray[np.uint8]:
    """The RGB colour [65536, 3] of every pair of heat and grey, at heat * 256 + grey: two bytes decide a pixel."""
    level = np.arange(256, dtype=np.float32)
    alpha = (level * np.float32(style.opacity / 255))[:, None, None]
    colours = level[None, :, None] * (1 - alpha) + table(style.colormap)[:, None, :] * alpha
    return np.asarray(colours + np.float32(0.5), dtype=np.uint8).reshape(-1, 3)


def _picture(image: Image.Image, source_shape: Shape, text: Mapping[str, str]) -> FramedPicture:
    to_source = geometry.resize(source_shape[1], source_shape[0], image.width, image.height)
    return FramedPicture(png.encode(image, text), image.height, image.width, to_source)


def _covered(start: int, stop: int, scale: float, shift: float, count: int) -> slice:
    """The picture's pixels along one axis whose centres lie in start .. stop of the source."""
    first, last = (np.ceil((edge - 0.5 - shift) / scale) for edge in (start, stop))
    return slice(max(int(first), 0), min(int(last), count))
