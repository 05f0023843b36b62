"""Describe and draw how an image file was read, for debugging."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from service import geometry
from service.geometry import Affine
from service.imaging.reading import Grey, Reading
from service.observability.stopwatch import Stopwatch
from service.records import Fitted, Mask

_Colour = tuple[int, int, int]
_Picture = NDArray[Any]

# Blue, green, red: OpenCV's order.
_GREEN: _Colour = (0, 255, 0)
_YELLOW: _Colour = (0, 255, 255)
_RED: _Colour = (0, 0, 255)
# Max long edge of an enlarged model input, in pixels.
_MAX_ENLARGED = 768


def describe(reading: Reading) -> dict[str, object]:
    """Return attributes, decisions and warnings by name, ready for JSON."""
    fitted = reading.fitted

    return asdict(reading.facts) | {
        "chest_wall": fitted.side,
        "breast_box": asdict(fitted.box),
        "reduction": fitted.reduction,
        "breast_share": round(float(fitted.breast.mean()), 4),
        "model_to_source": fitted.to_source.matrix(),
        "milliseconds": {
            name: round(spent, 1) for name, spent in Stopwatch(reading.laps).milliseconds.items()
        },
        "cautions": [f"{warning.code}: {warning.message}" for warning in reading.warnings],
    }


def draw(reading: Reading) -> Mapping[str, bytes]:
    """Return PNGs by name.

    `fitted` is the model's input. `calibrated` is the mammogram, if the reading has its picture.
    """
    pictures = {"fitted": _draw_fitted(reading.fitted)}
    if reading.picture is not None:
        pictures["calibrated"] = _draw_calibrated(reading, reading.picture)
    return {name: cv2.imencode(".png", picture)[1].tobytes() for name, picture in pictures.items()}


def _draw_calibrated(reading: Reading, grey: Grey) -> _Picture:
    """Draw the mammogram as displayed, with outline, box and chest wall."""
    facts = reading.facts
    fitted = reading.fitted
    height, width = grey.shape
    to_picture = geometry.resize(facts.columns, facts.rows, width, height).inverse()

    picture = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    _draw_outline(picture, fitted.breast, fitted.breast_to_source.then(to_picture), _GREEN)

    # The edges of the box lie half a pixel outside its outermost pixel centres.
    box = fitted.box
    left, top = (round(edge) for edge in to_picture.apply(box.left - 0.5, box.top - 0.5))
    right, bottom = (round(edge) for edge in to_picture.apply(box.right - 0.5, box.bottom - 0.5))
    cv2.rectangle(picture, (left, top), (right, bottom), _YELLOW, 1)

    wall = left if fitted.side == "left" else right
    cv2.line(picture, (wall, top), (wall, bottom), _RED, 3)
    return picture


def _draw_fitted(fitted: Fitted) -> _Picture:
    """Draw the model's input, enlarged, with the outline of the mask."""
    grey = np.rint(255 * fitted.image[..., 0]).astype(np.uint8)

    rows, columns = grey.shape
    factor = max(1, _MAX_ENLARGED // max(rows, columns))
    width = columns * factor
    height = rows * factor
    enlarged = cv2.resize(grey, (width, height), interpolation=cv2.INTER_NEAREST)

    picture = cv2.cvtColor(enlarged, cv2.COLOR_GRAY2BGR)
    to_picture = geometry.resize(columns, rows, width, height).inverse()
    _draw_outline(picture, fitted.mask, to_picture, _GREEN)
    return picture


def _draw_outline(picture: _Picture, mask: Mask, to_picture: Affine, colour: _Colour) -> None:
    """Draw the outline of the mask into the picture."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    scale = (to_picture.scale_x, to_picture.scale_y)
    shift = (to_picture.shift_x, to_picture.shift_y)
    placed = [np.rint(contour * scale + shift).astype(np.int32) for contour in contours]
    cv2.polylines(picture, placed, isClosed=True, color=colour, thickness=1)
