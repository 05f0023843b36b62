"""Sheet of the summary page: texts, pictures and marks in boxes, on black."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from service.records import Box

Colour = tuple[int, int, int]
RGB = NDArray[np.uint8]
Thumbnails = Mapping[int, RGB]
"""Pictures of images by position."""

WIDTH = 1600
HEIGHT = 1200

# All of them have a contrast of at least 4.5 to black.
INK: Colour = (240, 240, 240)
MUTED: Colour = (176, 182, 190)
LINE: Colour = (120, 126, 134)
POSITIVE: Colour = (255, 150, 64)
NEGATIVE: Colour = (130, 195, 255)
CAUTION: Colour = (255, 222, 110)

ELLIPSIS = "…"
_FRAME = 2  # pixels
_LINE_HEIGHT = 1.3  # of the size of the letters


class Sheet:
    """A page that is being drawn.

    `boxes`: the place of every text, picture and mark so far. `frames`: outlines around them.
    """

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.frames: list[Box] = []
        self._image = Image.new("RGB", (WIDTH, HEIGHT))
        self._draw = ImageDraw.Draw(self._image)

    def samples(self) -> RGB:
        """Return the page as RGB [height, width, 3]."""
        return np.array(self._image)

    def text(
        self,
        box: Box,
        text: str,
        size: int,
        colour: Colour = INK,
        max_lines: int | None = None,
        *,
        to_right: bool = False,
    ) -> int:
        """Write a text at the top of a box, and return the row below it.

        It is wrapped, and cut with an ellipsis after the lines that fit. `max_lines`: a smaller
        bound. `to_right`: lines end at the right edge of the box.
        """
        pitch = line_pitch(size)
        fitting = box.height // pitch
        bound = fitting if max_lines is None else min(fitting, max_lines)
        top = box.top

        for line in wrap(text, size, box.width, bound):
            left = box.right - text_width(line, size) if to_right else box.left
            self._draw.text((left, top), line, fill=colour, font=_font(size))
            self._occupy(Box(left, top, left + text_width(line, size), top + pitch))
            top += pitch
        return top

    def picture(self, box: Box, picture: RGB, *, to_right: bool = False) -> Box:
        """Draw a picture as large as the box allows, at its left or right edge. Return its box."""
        rows, columns = picture.shape[:2]
        scale = min(box.width / columns, box.height / rows)
        width = max(1, int(columns * scale))
        height = max(1, int(rows * scale))
        left = box.right - width if to_right else box.left

        image = Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS)
        self._image.paste(image, (left, box.top))
        return self._occupy(Box(left, box.top, left + width, box.top + height))

    def frame(self, box: Box, colour: Colour = LINE) -> None:
        """Draw the outline of a box. Other things may stand in it."""
        edges = (box.left, box.top, box.right - 1, box.bottom - 1)
        self._draw.rectangle(edges, outline=colour, width=_FRAME)
        self.frames.append(box)

    def rule(self, left: int, right: int, row: int) -> None:
        """Draw a thin line from left to right."""
        self._draw.line((left, row, right - 1, row), fill=LINE)
        self._occupy(Box(left, row, right, row + 1))

    def mark(self, box: Box, paint: Callable[[ImageDraw.ImageDraw], None]) -> None:
        """Let `paint` draw inside a box."""
        paint(self._draw)
        self._occupy(box)

    def _occupy(self, box: Box) -> Box:
        self.boxes.append(box)
        return box


def wrap(text: str, size: int, width: int, max_lines: int) -> list[str]:
    """Divide a text into lines of at most that width. A cut text ends with an ellipsis."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
        if len(lines) > max_lines:
            break

    kept = lines[:max_lines]
    if kept and len(lines) > max_lines:
        kept[-1] += ELLIPSIS
    return [_cut(line, size, width) for line in kept]


def line_pitch(size: int) -> int:
    """Return the height of a line of that size of letters, in pixels."""
    return round(size * _LINE_HEIGHT)


def text_width(text: str, size: int) -> int:
    """Return the width of a line, in pixels."""
    left, _, right, _ = _font(size).getbbox(text)
    return int(np.ceil(max(right, right - left))) + 1


def below(box: Box, top: int) -> Box:
    """Return the part of a box from that row on."""
    return Box(box.left, top, box.right, box.bottom)


def _cut(line: str, size: int, width: int) -> str:
    """Return a line, cut with an ellipsis if it is wider."""
    if text_width(line, size) <= width:
        return line

    whole = line.rstrip(ELLIPSIS)
    too_long = bisect_left(
        range(1, len(whole) + 1),
        1,
        key=lambda length: int(text_width(whole[:length] + ELLIPSIS, size) > width),
    )
    return whole[:too_long].rstrip() + ELLIPSIS


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType")
    return font
