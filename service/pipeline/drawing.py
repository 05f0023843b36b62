"""Drawing the results of the pipeline as pictures."""

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from service import geometry, rendering
from service.observability.stopwatch import Stopwatch
from service.pipeline.steps import Activations, Explanation
from service.rendering import (
    Caption,
    Colormap,
    FilterPicture,
    FilterScale,
    FramedPicture,
    PictureFormat,
    Render,
    Style,
)

_LARGE_PIXELS = 4_000_000
_DRAWING_LARGE = threading.Lock()
"""Large pictures take 12 to 24 bytes a pixel while they are drawn, so they are drawn in turn."""


def picture_edge(render: Render, style: Style) -> float:
    """Return the long edge of the picture that the reader must return, or 0 for none."""
    return style.long_edge if render is Render.OVERLAY else 0


def draw_heatmap(
    explained: Explanation, render: Render, style: Style, text: Mapping[str, str], timer: Stopwatch
) -> FramedPicture:
    """Draw the heatmap in the frame of the source image.

    An overlay needs a reading with the mammogram's picture (see `picture_edge`). That of an image
    decided negative says so in a corner, if one is free.

    Raises:
        ValueError: the reading has no picture for the overlay.
    """
    reading = explained.prediction.reading
    frame = (reading.facts.rows, reading.facts.columns)
    heat = explained.drawn_heat

    with timer.step("render"), _turn(frame, style):
        if render is Render.HEATMAP:
            return rendering.heat_alone(frame, heat, style, text)
        if reading.picture is None:
            raise ValueError("the reading has no picture to draw over")
        caption = _caption(explained)
        return rendering.overlay(reading.picture, frame, heat, style, text, caption)


def _turn(frame: tuple[int, int], style: Style) -> AbstractContextManager[object]:
    """Wait for the turn to draw a large picture: only one is drawn at a time."""
    height, width = geometry.canvas(*frame, style.long_edge)
    return _DRAWING_LARGE if height * width > _LARGE_PIXELS else nullcontext()


def _caption(explained: Explanation) -> Caption | None:
    """Return the note of an image decided negative, on two lines."""
    if explained.note is None:
        return None

    fitted = explained.prediction.reading.fitted
    lines = explained.note.replace(": ", ":\n")
    return Caption(lines, fitted.breast, fitted.breast_to_source)


def draw_filters(
    activations: Activations, scale: FilterScale, timer: Stopwatch
) -> list[FilterPicture]:
    """Draw each filter's map as a greyscale PNG with one pixel per cell."""
    with timer.step("render"):
        return rendering.draw_filters(activations.maps, scale)


def draw_montage(
    activations: Activations,
    scale: FilterScale,
    colormap: Colormap,
    text: Mapping[str, str],
    timer: Stopwatch,
    picture_format: PictureFormat = PictureFormat.PNG,
) -> bytes:
    """Draw all filters of the layer on one picture."""
    with timer.step("render"):
        return rendering.draw_montage(activations.maps, scale, colormap, text, picture_format)
