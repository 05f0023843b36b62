"""Marks of the summary page: a decision as shape and word, and bars with their threshold."""

from PIL import ImageDraw

from service.records import Box, LevelDecision
from service.rendering import summary_words as words
from service.rendering.summary_sheet import (
    INK,
    LINE,
    MUTED,
    NEGATIVE,
    POSITIVE,
    Colour,
    Sheet,
    line_pitch,
)

_SMALL = 22
_SHAPE = 22
_TICK = 4
_RISE = 8  # of the tick over the bar


def colour_of(decision: LevelDecision) -> Colour:
    """Return the colour of a decision. A word and a shape say the same."""
    if decision.positive is None:
        return MUTED
    return POSITIVE if decision.positive else NEGATIVE


def draw_shape(sheet: Sheet, box: Box, decision: LevelDecision) -> None:
    """Draw the shape of a decision: a full triangle, an empty circle, or a dash if not judged."""
    colour = colour_of(decision)
    left, top, right, bottom = box.left, box.top, box.right - 1, box.bottom - 1
    middle = (left + right) / 2
    centre = (top + bottom) / 2

    def paint(draw: ImageDraw.ImageDraw) -> None:
        if decision.positive is None:
            draw.line((left, centre, right, centre), fill=colour, width=4)
        elif decision.positive:
            draw.polygon([(middle, top), (right, bottom), (left, bottom)], fill=colour)
        else:
            draw.ellipse((left, top, right, bottom), outline=colour, width=4)

    sheet.mark(box, paint)


def draw_bar(sheet: Sheet, box: Box, decision: LevelDecision) -> None:
    """Draw a probability from 0 to 100 % as a bar, with a tick at the threshold."""
    top = box.top + _RISE
    bottom = box.bottom - 1 - _RISE
    filled = box.left + round(decision.probability * (box.width - 1))

    def paint(draw: ImageDraw.ImageDraw) -> None:
        draw.rectangle((box.left, top, box.right - 1, bottom), outline=LINE, width=2)
        draw.rectangle((box.left, top, filled, bottom), fill=colour_of(decision))
        if decision.threshold is not None:
            tick = box.left + round(decision.threshold * (box.width - _TICK))
            edges = (tick, box.top, tick + _TICK - 1, box.bottom - 1)
            draw.rectangle((edges[0] - 2, top, edges[2] + 2, bottom), fill=(0, 0, 0))
            draw.rectangle(edges, fill=INK)

    sheet.mark(box, paint)


def write_verdict(sheet: Sheet, box: Box, decision: LevelDecision) -> int:
    """Write the decision behind its shape. Return the row below."""
    top = box.top + (line_pitch(_SMALL) - _SHAPE) // 2
    shape = Box(box.left, top, box.left + _SHAPE, top + _SHAPE)
    draw_shape(sheet, shape, decision)

    beside = Box(shape.right + 10, box.top, box.right, box.bottom)
    return sheet.text(beside, words.verdict(decision), _SMALL, colour_of(decision), 1)
