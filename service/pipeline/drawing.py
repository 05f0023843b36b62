"""Drawing the results of the pipeline as pictures."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import cv2
import numpy as np
from numpy.typing import NDArray

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

Samples = NDArray[np.uint8]

THUMBNAIL_OPACITY = 0.6
"""Of heat at full strength in a thumbnail."""
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
    facts = explained.prediction.reading.facts
    frame = (facts.rows, facts.columns)
    heat = explained.drawn_heat

    with timer.step("render"), turn_to_draw(frame, style):
        if render is Render.HEATMAP:
            return rendering.heat_alone(frame, heat, style, text)
        _, grey = _source(explained)
        return rendering.overlay(grey, frame, heat, style, text, _caption(explained))


def draw_overlay_samples(explained: Explanation, style: Style, lines: Sequence[str]) -> Samples:
    """Draw the heat over the mammogram as RGB [height, width, 3], with lines of text.

    The lines stand in the corner with the least breast, whether it is free or not. They are
    followed by the note of an image decided negative. `style.long_edge`: infinity for the size of
    the source. It must be that of the reading's picture. Call it within `turn_to_draw`.

    Raises:
        ValueError: the reading has no picture.
    """
    frame, grey = _source(explained)
    caption = _caption(explained, lines)
    return rendering.overlay_samples(grey, frame, explained.drawn_heat, style, caption)


def draw_thumbnail(explained: Explanation, long_edge: int, *, with_heat: bool) -> Samples:
    """Draw the mammogram as RGB [height, width, 3] with at most that long edge.

    `with_heat`: with the heat over it. There is no text in the picture.

    Raises:
        ValueError: the reading has no picture.
    """
    frame, grey = _source(explained)
    rows, columns = grey.shape
    height, width = geometry.canvas(rows, columns, long_edge)
    small = np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    opacity = THUMBNAIL_OPACITY if with_heat else 0.0
    style = Style(Colormap.INFERNO, opacity, long_edge)
    return rendering.overlay_samples(small, frame, explained.drawn_heat, style)


def _source(explained: Explanation) -> tuple[tuple[int, int], Samples]:
    """Return rows and columns of the source image, and the reading's picture of it."""
    reading = explained.prediction.reading
    if reading.picture is None:
        raise ValueError("the reading has no picture to draw over")
    return (reading.facts.rows, reading.facts.columns), reading.picture


def turn_to_draw(frame: tuple[int, int], style: Style) -> AbstractContextManager[object]:
    """Wait for the turn to draw a large picture: only one is drawn at a time."""
    height, width = geometry.canvas(*frame, style.long_edge)
    return _DRAWING_LARGE if height * width > _LARGE_PIXELS else nullcontext()


def _caption(explained: Explanation, required: Sequence[str] = ()) -> Caption | None:
    """Return the required lines, and the note of an image decided negative on two lines."""
    note = [] if explained.note is None else [explained.note.replace(": ", ":\n")]
    lines = [*required, *note]
    if not lines:
        return None

    fitted = explained.prediction.reading.fitted
    text = "\n".join(lines)
    return Caption(text, fitted.breast, fitted.breast_to_source, is_required=bool(required))


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
