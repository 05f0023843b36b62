"""A layer's filters as small greyscale pictures, one by one or side by side."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.records import Floats
from service.rendering import png
from service.rendering.colormap import Colormap, table

LONG_EDGE = 1536
"""Longest edge of a montage in pixels; small maps are enlarged by whole factors up to it, large ones are reduced."""
GAP = 2
BACKGROUND = 40
"""Grey of the gaps: neither the black of a dark filter nor the white of a bright one."""


class FilterScale(StrEnum):
    """What white means: the layer's maximum, so that filters compare, or each filter's own, so that faint ones show."""

    LAYER = "layer"
    FILTER = "filter"


def value_ranges(maps: Floats, scale: FilterScale) -> NDArray[np.float32]:
    """The values (black, white) of each filter of maps [h, w, filters], as [filters, 2].

    Zero always lies within, so that nothing dark looks bright.
    """
    low = np.minimum(maps.min(axis=(0, 1)), 0)
    high = np.maximum(maps.max(axis=(0, 1)), 0)
    if scale is FilterScale.LAYER:
        low, high = np.full_like(low, low.min()), np.full_like(high, high.max())
    return np.stack([low, high], axis=1)


@dataclass(frozen=True, slots=True)
class FilterPicture:
    """One filter's map as an 8-bit greyscale PNG, and the values that its black and white stand for."""

    png: bytes
    black: float
    white: float


def draw_filters(maps: Floats, scale: FilterScale) -> list[FilterPicture]:
    """One picture per filter of maps [h, w, filters], a pixel a cell."""
    ranges = value_ranges(maps, scale)
    return [
        FilterPicture(png.encode(Image.fromarray(tile)), float(black), float(white))
        for tile, (black, white) in zip(_tiles(maps, ranges), ranges, strict=True)
    ]


def montage_png(
    maps: Floats, scale: FilterScale, colormap: Colormap, text: Mapping[str, str]
) -> bytes:
    """All filters of maps [h, w, filters] in reading order on one PNG."""
    tiles = _tiles(maps, value_ranges(maps, scale))
    columns = _columns(len(tiles), maps.shape[0], maps.shape[1])
    rows = math.ceil(len(tiles) / columns)
    height, width = _tile_shape(maps.shape[0], maps.shape[1], rows, columns)
    sheet = np.full(
        (rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, 3), BACKGROUND, np.uint8
    )
    shrinks = height < maps.shape[0]
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        top, left = GAP + row * (height + GAP), GAP + column * (width + GAP)
        sized = cv2.resize(
            tile, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
        )
        sheet[top : top + height, left : left + width] = table(colormap)[sized]
    return png.encode(Image.fromarray(sheet), text)


def _tiles(maps: Floats, ranges: NDArray[np.float32]) -> list[NDArray[np.uint8]]:
    """Each filter as 0..255 between its black and its white; a filter that is constantly zero is black."""
    spans = ranges[:, 1] - ranges[:, 0]
    scaled = np.asarray((maps - ranges[:, 0]) / np.where(spans > 0, spans, 1), dtype=np.float32)
    return [
        np.ascontiguousarray(png.to_bytes(scaled[..., index])) for index in range(maps.shape[2])
    ]


def _columns(tiles: int, height: int, width: int) -> int:
    """The number of columns that makes the sheet's longer edge shortest."""
    return min(
        range(1, tiles + 1),
        key=lambda columns: max(columns * width, math.ceil(tiles / columns) * height),
    )


def _tile_shape(height: int, width: int, rows: int, columns: int) -> tuple[int, int]:
    """Tile size: a whole multiple of the map where that fits the montage, else the map reduced."""
    factor = min(LONG_EDGE / (rows * height), LONG_EDGE / (columns * width))
    factor = float(max(1, int(factor))) if factor >= 1 else factor
    return max(1, round(height * factor)), max(1, round(width * factor))
