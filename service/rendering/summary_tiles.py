"""Tiles of the summary page: images that are in no place of a standard view."""

import math
from collections.abc import Sequence

from service.records import Box, ExamResults, ImageResult, RefusedImage
from service.rendering import summary_words as words
from service.rendering.summary_marks import write_verdict
from service.rendering.summary_sheet import CAUTION, MUTED, RGB, Sheet, Thumbnails, below

_SMALL = 22
_GAP = 16
_TILE_GAP = 28
MAX_TILES = 8
"""Most images in a grid of tiles, or in a strip of them."""
_MAX_COLUMNS = 4
_WIDE_TILE = 330  # pixels, from which the text of a tile stands beside its picture
_NARROW_LINES = 2  # of the reason in a narrow tile


def draw_tiles(sheet: Sheet, box: Box, results: ExamResults, thumbnails: Thumbnails) -> None:
    """Draw the images of the results as tiles in a grid, as many as have room."""
    number = min(MAX_TILES, len(results.images))
    columns = min(_MAX_COLUMNS, max(2, math.ceil(number / 2)))
    rows = math.ceil(number / columns)

    for row, top in enumerate(_starts(box.top, box.bottom, rows)):
        bottom = top + _extent(box.height, rows)
        positions = range(row * columns, min(number, (row + 1) * columns))
        strip = Box(box.left, top, box.right, bottom)
        draw_strip(sheet, strip, results, thumbnails, positions, columns)


def draw_strip(
    sheet: Sheet,
    box: Box,
    results: ExamResults,
    thumbnails: Thumbnails,
    positions: Sequence[int],
    columns: int,
) -> None:
    """Draw images side by side as tiles, with the reason if they do not count."""
    lefts = _starts(box.left, box.right, columns)
    width = _extent(box.width, columns)

    for left, position in zip(lefts, positions, strict=False):
        tile = Box(left, box.top, left + width, box.bottom)
        image = results.images[position]
        if isinstance(image, RefusedImage):
            _draw_refused(sheet, tile, image, f"File {position + 1} of {len(results.images)}")
        else:
            _draw_tile(sheet, tile, image, thumbnails.get(position))


def _draw_tile(sheet: Sheet, box: Box, image: ImageResult, thumbnail: RGB | None) -> None:
    """Draw an image beside its caption, or below it in a narrow tile."""
    if box.width < _WIDE_TILE:
        top = _write_tile_caption(sheet, box, image, _NARROW_LINES) + 6
        place = below(box, top)
        if thumbnail is not None and place.height > 0:
            sheet.picture(place, thumbnail)
        return

    place = Box(box.left, box.top, box.left + box.width // 2, box.bottom)
    left = box.left
    if thumbnail is not None:
        left = sheet.picture(place, thumbnail).right + _GAP
    _write_tile_caption(sheet, Box(left, box.top, box.right, box.bottom), image, None)


def _write_tile_caption(sheet: Sheet, box: Box, image: ImageResult, max_lines: int | None) -> int:
    """Write side, view, probability, decision, and why the image does not count.

    `max_lines`: of the reason. Return the row below.
    """
    heading = f"{words.label(image)}, {words.percent(image.decision.probability)}"
    top = sheet.text(box, heading, _SMALL, max_lines=2)
    top = write_verdict(sheet, below(box, top), image.decision)

    reason = "counted" if image.not_counted is None else words.not_counted(image.not_counted)
    return sheet.text(below(box, top), reason, _SMALL, MUTED, max_lines)


def _draw_refused(sheet: Sheet, box: Box, image: RefusedImage, name: str) -> None:
    """Write the title and the detail of the problem of a refused image."""
    top = sheet.text(box, f"{name} refused", _SMALL, CAUTION, max_lines=2)
    top = sheet.text(below(box, top), image.title, _SMALL, max_lines=2)
    sheet.text(below(box, top), image.detail, _SMALL, MUTED)


def _starts(first: int, last: int, number: int) -> list[int]:
    step = _extent(last - first, number) + _TILE_GAP
    return [first + index * step for index in range(number)]


def _extent(whole: int, number: int) -> int:
    return (whole - (number - 1) * _TILE_GAP) // number
