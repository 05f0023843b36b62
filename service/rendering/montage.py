"""Pictures of a layer's filters, one by one or as a montage."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from service.records import Floats
from service.rendering import png
from service.rendering.colormap import Colormap, table
from service.rendering.picture_format import PictureFormat, encode

LONG_EDGE = 1536
"""Longest edge of a montage in pixels, without the gaps.

Small maps are enlarged by whole factors up to it, large ones are reduced.
"""
GAP = 2  # pixels between tiles, and around the sheet
BACKGROUND = 40
"""Grey of the gaps: neither the black of a dark filter nor the white of a bright one."""


class FilterScale(StrEnum):
    """The value that white stands for.

    `layer`: the maximum of the layer, so that filters can be compared. `filter`: the maximum of
    each filter, so that faint filters are visible.
    """

    LAYER = "layer"
    FILTER = "filter"


def value_ranges(maps: Floats, scale: FilterScale) -> NDArray[np.float32]:
    """Return the values of black and white of each filter, as [filters, 2].

    `maps`: [h, w, filters]. The range includes zero, so that dark filters do not look bright.
    """
    low = np.minimum(maps.min(axis=(0, 1)), 0)
    high = np.maximum(maps.max(axis=(0, 1)), 0)

    if scale is FilterScale.LAYER:
        low = np.full_like(low, low.min())
        high = np.full_like(high, high.max())
    return np.stack([low, high], axis=1)


@dataclass(frozen=True, slots=True)
class FilterPicture:
    """A filter's map as an 8-bit greyscale PNG, and the values of its black and white."""

    png: bytes
    black: float
    white: float


def draw_filters(maps: Floats, scale: FilterScale) -> list[FilterPicture]:
    """Draw one picture per filter of maps [h, w, filters], with one pixel per cell."""
    ranges = value_ranges(maps, scale)
    return [
        FilterPicture(png.encode(tile), float(black), float(white))
        for tile, (black, white) in zip(_tiles(maps, ranges), ranges, strict=True)
    ]


def draw_montage(
    maps: Floats,
    scale: FilterScale,
    colormap: Colormap,
    text: Mapping[str, str],
    picture_format: PictureFormat = PictureFormat.PNG,
) -> bytes:
    """Draw all filters of maps [h, w, filters] on one picture, in reading order."""
    # Choose the grid of tiles.
    tiles = _tiles(maps, value_ranges(maps, scale))
    columns = _columns(len(tiles), maps.shape[0], maps.shape[1])
    rows = math.ceil(len(tiles) / columns)
    height, width = _tile_shape(maps.shape[0], maps.shape[1], rows, columns)

    # Start with an empty sheet.
    sheet_height = rows * (height + GAP) + GAP
    sheet_width = columns * (width + GAP) + GAP
    sheet = np.full((sheet_height, sheet_width, 3), BACKGROUND, np.uint8)

    # Enlarged cells keep sharp edges. Reduced maps are averaged.
    is_reduced = height < maps.shape[0]
    interpolation = cv2.INTER_AREA if is_reduced else cv2.INTER_NEAREST

    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        top = GAP + row * (height + GAP)
        left = GAP + column * (width + GAP)
        sized = cv2.resize(tile, (width, height), interpolation=interpolation)
        sheet[top : top + height, left : left + width] = table(colormap)[sized]

    return encode(sheet, picture_format, text)


def _tiles(maps: Floats, ranges: NDArray[np.float32]) -> list[NDArray[np.uint8]]:
    """Scale each filter to 0..255 between its black and its white. A filter of zeros is black."""
    spans = ranges[:, 1] - ranges[:, 0]
    scaled = np.asarray((maps - ranges[:, 0]) / np.where(spans > 0, spans, 1), dtype=np.float32)
    return [
        np.ascontiguousarray(png.to_bytes(scaled[..., index])) for index in range(maps.shape[2])
    ]


def _columns(tiles: int, height: int, width: int) -> int:
    """Return the number of columns for which the longer edge of the sheet is shortest."""
    return min(
        range(1, tiles + 1),
        key=lambda columns: max(columns * width, math.ceil(tiles / columns) * height),
    )


def _tile_shape(height: int, width: int, rows: int, columns: int) -> tuple[int, int]:
    """Return a tile's (height, width): a whole multiple of the map if it fits, else reduced."""
    factor = min(LONG_EDGE / (rows * height), LONG_EDGE / (columns * width))
    factor = float(max(1, int(factor))) if factor >= 1 else factor
    return max(1, round(height * factor)), max(1, round(width * factor))
