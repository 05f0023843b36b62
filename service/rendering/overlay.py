"""A heatmap on the grid of its source image: laid over the image, or alone and transparent for a viewer to lay."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service import geometry
from service.geometry import Affine
from service.rendering import png
from service.rendering.colormap import Colormap, table
from service.results import Box, Floats, Heatmap, MapState, Pixels


class Render(StrEnum):
    """What to draw: the heat over the mammogram, or the heat alone."""

    OVERLAY = "overlay"
    HEATMAP = "heatmap"


@dataclass(frozen=True, slots=True)
class Style:
    """How heat is drawn.

    `opacity`: of the hottest cell, 0..1. `long_edge`: of the picture in pixels, never more than the source's; None for
    the source's own size.
    """

    colormap: Colormap
    opacity: float
    long_edge: int | None


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG of the whole source image's frame; `to_source` leads from its pixels to the source's."""

    png: bytes
    height: int
    width: int
    to_source: Affine


def overlay(pixels: Pixels, heatmap: Heatmap, box: Box, style: Style, text: Mapping[str, str]) -> Picture:
    """RGB PNG of the source image under its heat; where there is no heat the image is untouched.

    `box`: the part of the source that the network saw.
    """
    height, width = canvas(pixels.shape, style.long_edge)
    grey = (_shrink(pixels, height, width) >> 8).astype(np.uint8)
    heat = lay(heatmap, box, pixels.shape, (height, width))
    picture = np.repeat(grey[..., None], 3, axis=2)
    hot = heat > 0
    alpha = (heat[hot] * np.float32(style.opacity))[:, None]
    colours = table(style.colormap)[png.to_bytes(heat[hot])].astype(np.float32)
    picture[hot] = (picture[hot] * (1 - alpha) + colours * alpha + np.float32(0.5)).astype(np.uint8)
    return _picture(Image.fromarray(picture), pixels.shape, text)


def heat_alone(
    source_shape: tuple[int, ...], heatmap: Heatmap, box: Box, style: Style, text: Mapping[str, str]
) -> Picture:
    """Indexed PNG of the heat alone on the frame of its source.

    Palette index 0..255 is the heat relative to the hottest cell; alpha grows with it from 0 to `style.opacity`.
    """
    heat = lay(heatmap, box, source_shape, canvas(source_shape, style.long_edge))
    image = Image.fromarray(png.to_bytes(heat))
    image.putpalette(table(style.colormap).tobytes())
    alpha = png.to_bytes(np.linspace(0, style.opacity, 256, dtype=np.float32))
    image.info["transparency"] = alpha.tobytes()
    return _picture(image, source_shape, text)


def canvas(source_shape: tuple[int, ...], long_edge: int | None) -> tuple[int, int]:
    """The (height, width) of a picture whose longer edge has `long_edge` pixels, the source's own size at most."""
    rows, columns = source_shape[:2]
    factor = min(1.0, long_edge / max(rows, columns)) if long_edge else 1.0
    return max(1, round(rows * factor)), max(1, round(columns * factor))


def lay(heatmap: Heatmap, box: Box, source_shape: tuple[int, ...], shape: tuple[int, int]) -> Floats:
    """The heat in [0, 1] (1 = hottest cell) on a [height, width] picture of the whole source; 0 outside `box`.

    Bilinear between cell centres. Beyond the outermost centres the value holds up to the box: that rim is what the
    outermost receptive fields still see.
    """
    if heatmap.state is not MapState.OK or heatmap.peak is None:
        return np.zeros(shape, np.float32)
    (rows, columns), (height, width) = source_shape[:2], shape
    to_source = geometry.resize(columns, rows, width, height)
    to_cell = to_source.then(heatmap.to_source.inverse())
    across = _interpolation(_centres(width, to_cell.scale_x, to_cell.shift_x), heatmap.values.shape[1])
    down = _interpolation(_centres(height, to_cell.scale_y, to_cell.shift_y), heatmap.values.shape[0])
    heat = down @ (heatmap.values / np.float32(heatmap.peak.value)) @ across.T
    return np.asarray(np.clip(heat, 0, 1) * _inside(box, to_source, shape), dtype=np.float32)


def _picture(image: Image.Image, source_shape: tuple[int, ...], text: Mapping[str, str]) -> Picture:
    to_source = geometry.resize(source_shape[1], source_shape[0], image.width, image.height)
    return Picture(png.encode(image, text), image.height, image.width, to_source)


def _shrink(pixels: Pixels, height: int, width: int) -> Pixels:
    if (height, width) == pixels.shape:
        return pixels
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint16)


def _centres(count: int, scale: float, shift: float) -> NDArray[np.float64]:
    return scale * np.arange(count, dtype=np.float64) + shift


def _interpolation(positions: NDArray[np.float64], cells: int) -> Floats:
    """Row p holds the linear weights of the cells around positions[p].

    The map is axis-aligned, so one small product per axis does the whole interpolation, exactly.
    """
    held = positions.clip(0, cells - 1)
    lower = np.floor(held).astype(int).clip(0, max(cells - 2, 0))
    upper = np.minimum(lower + 1, cells - 1)
    weights = np.zeros((len(positions), cells), np.float32)
    rows = np.arange(len(positions))
    weights[rows, upper] = held - lower
    weights[rows, lower] = 1 - (held - lower)
    return weights


def _inside(box: Box, to_source: Affine, shape: tuple[int, int]) -> Floats:
    """1 where a picture pixel's centre lies in the source box, 0 elsewhere."""
    x = _centres(shape[1], to_source.scale_x, to_source.shift_x)
    y = _centres(shape[0], to_source.scale_y, to_source.shift_y)
    in_x = (x >= box.left - 0.5) & (x < box.right - 0.5)
    in_y = (y >= box.top - 0.5) & (y < box.bottom - 0.5)
    return (in_y[:, None] & in_x[None, :]).astype(np.float32)
