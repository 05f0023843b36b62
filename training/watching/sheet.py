"""Sheets: tiles of images with text, arranged in a picture."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from service.geometry import Affine, resize
from service.records import Floats, Mask
from service.rendering import PictureFormat, encode
from training.fit.run import write_bytes

RGB = NDArray[np.uint8]
"""Picture [height, width, 3]."""

Colour = tuple[int, int, int]
Line = tuple[str, Colour]
"""Text and its colour."""

TEXT: Colour = (225, 225, 225)
MUTED: Colour = (150, 150, 150)
CANCER: Colour = (255, 160, 122)
CALM: Colour = (150, 205, 255)
CAUTION: Colour = (255, 90, 80)
LESION: Colour = (0, 255, 255)

LABELS: tuple[Line, Line] = (("no cancer", CALM), ("cancer", CANCER))
"""Text of an image without cancer, and of one with cancer."""

GAP = 8
"""Pixels between tiles."""

_GROUND: Colour = (24, 24, 24)
_EDGE = 224  # the longer edge of a tile
_LETTERS = 14
_PITCH = 19


def tile_shape(rows: int, columns: int) -> tuple[int, int]:
    """Return the (height, width) of a tile of an image of that size."""
    factor = _EDGE / max(rows, columns)
    return max(1, round(rows * factor)), max(1, round(columns * factor))


def to_tile(shape: tuple[int, ...]) -> Affine:
    """Return the map from the pixels of an image [height, width, ...] to those of its tile."""
    height, width = tile_shape(*shape[:2])
    return resize(width, height, shape[1], shape[0])


def grey_tile(image: Floats) -> RGB:
    """Return the tile of an image [height, width, 1] in [0, 1], as grey [height, width]."""
    height, width = tile_shape(*image.shape[:2])
    shrinks = height < image.shape[0]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(image[..., 0], (width, height), interpolation=interpolation)
    return np.asarray(np.rint(resized.clip(0, 1) * 255), np.uint8)


def coloured(grey: RGB) -> RGB:
    """Return a grey picture [height, width] in RGB."""
    return np.repeat(grey[..., None], 3, axis=2)


def draw_outline(tile: RGB, mask: Mask) -> None:
    """Draw the outline of a mask, which is on the grid of the tile's image."""
    height, width = tile.shape[:2]
    resized = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    laid = (resized >= 0.5).astype(np.uint8)  # noqa: PLR2004 - half a pixel
    outlines, _ = cv2.findContours(laid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(tile, outlines, -1, LESION, 1)


def text_tile(lines: Sequence[Line], height: int, width: int) -> RGB:
    """Return a tile with lines of text."""
    image = Image.new("RGB", (width, height), _GROUND)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(_LETTERS)
    for row, (text, colour) in enumerate(lines):
        draw.text((0, row * _PITCH), text, fill=colour, font=font)

    return np.asarray(image)


def text_height(lines: int) -> int:
    """Return the height of a tile with that number of lines."""
    return lines * _PITCH


def beside(parts: Sequence[RGB], gap: int = GAP) -> RGB:
    """Return parts of any heights side by side, with gaps."""
    height = max(part.shape[0] for part in parts)
    width = sum(part.shape[1] + gap for part in parts) - gap
    sheet = _ground(height, width)
    left = 0
    for part in parts:
        sheet[: part.shape[0], left : left + part.shape[1]] = part
        left += part.shape[1] + gap

    return sheet


def below(parts: Sequence[RGB]) -> RGB:
    """Return parts of any widths one below the other, with gaps."""
    return beside([part.transpose(1, 0, 2) for part in parts]).transpose(1, 0, 2)


def framed(sheet: RGB) -> RGB:
    """Return a sheet with a gap around it."""
    height, width = sheet.shape[:2]
    picture = _ground(height + 2 * GAP, width + 2 * GAP)
    picture[GAP : GAP + height, GAP : GAP + width] = sheet
    return picture


def png_bytes(picture: RGB) -> bytes:
    """Return a picture as a PNG file."""
    return encode(picture, PictureFormat.PNG, {})


def write_png(path: Path, content: bytes) -> None:
    """Write a PNG file atomically. Its folder is created.

    Raises:
        OSError: the disk is full.
    """
    path.parent.mkdir(exist_ok=True)
    write_bytes(path, content)


def _ground(height: int, width: int) -> RGB:
    return np.full((height, width, 3), _GROUND, np.uint8)
