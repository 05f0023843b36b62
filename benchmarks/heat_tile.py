"""Draws an overlay with its peak, and circles around lesions, as a tile of a contact sheet."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.contact_sheet import FramedPicture
from benchmarks.held_reading import explain_reading
from benchmarks.pointing import Circle, Point
from service import pipeline
from service.geometry import Affine
from service.imaging import read
from service.model import Model
from service.observability.stopwatch import Stopwatch
from service.pipeline import Question
from service.rendering import Colormap, Render, Style

TILE = 400  # pixels along a tile's edge
STYLE = Style(Colormap.INFERNO, opacity=0.6, long_edge=TILE)
# Blue, green, red: OpenCV's order.
LESION_COLOUR = (0, 255, 0)
PEAK_COLOUR = (255, 255, 0)
NAME_COLOUR = (0, 255, 255)


def heat_tile(
    model: Model, path: Path, question: Question, circles: Sequence[Circle] = ()
) -> FramedPicture:
    """Draw the answer to the question about a file, with its name and the probability."""
    reading = read(path.read_bytes(), model.manifest.preprocessing, TILE)
    explained = explain_reading(model, reading, question)
    overlay = pipeline.draw_heatmap(explained, Render.OVERLAY, STYLE, {}, Stopwatch())

    # The overlay, at the upper left of the tile.
    picture = np.asarray(Image.open(BytesIO(overlay.content)))[..., ::-1]
    tile = np.zeros((TILE, TILE, 3), np.uint8)
    tile[: overlay.height, : overlay.width] = picture

    # The lesions, and the peak.
    to_tile = overlay.to_source.inverse()
    for circle in circles:
        radius = round(circle.radius * to_tile.scale_x)
        cv2.circle(tile, _pixel((circle.x, circle.y), to_tile), radius, LESION_COLOUR, 1)

    peak = explained.class_explanation.heatmap.peak
    if peak is not None:
        at = _pixel((peak.x, peak.y), to_tile)
        cv2.drawMarker(tile, at, PEAK_COLOUR, cv2.MARKER_CROSS, markerSize=12)

    probability = explained.prediction.probabilities[model.manifest.positive_class]
    text = f"{path.stem} {probability:.2f}"
    cv2.putText(tile, text, (4, TILE - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.45, NAME_COLOUR, 1)
    return tile


def _pixel(place: Point, to_tile: Affine) -> tuple[int, int]:
    """Return the pixel of the tile nearest to a place in the source."""
    x, y = to_tile.apply(*place)
    return round(x), round(y)
