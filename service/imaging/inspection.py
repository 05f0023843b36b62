"""What was read of an image file, which decisions were made, and pictures of both: for people who ask why."""

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

# blue, green, red, as OpenCV writes them
_GREEN, _YELLOW, _RED = (0, 255, 0), (0, 255, 255), (0, 0, 255)
_LOOKED_AT = 768  # pixels along the long edge of an enlarged picture, at the most


def describe(reading: Reading) -> dict[str, object]:
    """Facts, decisions and cautions by name, ready for JSON."""
    fitted = reading.fitted
    return asdict(reading.facts) | {
        "chest_wall": fitted.side,
        "breast_box": asdict(fitted.box),
        "breast_share": round(float(fitted.breast.mean()), 4),
        "model_to_source": fitted.to_source.matrix(),
        "milliseconds": {
            name: round(spent, 1) for name, spent in Stopwatch(reading.laps).milliseconds.items()
        },
        "cautions": [f"{warning.code}: {warning.message}" for warning in reading.warnings],
    }


def draw(reading: Reading) -> Mapping[str, bytes]:
    """PNGs by name: `fitted`, the model's input, and `calibrated`, the mammogram, if the reading has its picture."""
    pictures = {"fitted": _draw_fitted(reading.fitted)}
    if reading.picture is not None:
        pictures["calibrated"] = _draw_calibrated(reading, reading.picture)
    return {name: cv2.imencode(".png", picture)[1].tobytes() for name, picture in pictures.items()}


def _draw_calibrated(reading: Reading, grey: Grey) -> _Picture:
    """The mammogram as displayed, with outline, box and chest wall."""
    facts, fitted, (height, width) = reading.facts, reading.fitted, grey.shape
    to_picture = geometry.resize(facts.columns, facts.rows, width, height).inverse()
    drawn = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    _outline(drawn, fitted.breast, fitted.breast_to_source.then(to_picture), _GREEN)
    left, top = (
        round(edge) for edge in to_picture.apply(fitted.box.left - 0.5, fitted.box.top - 0.5)
    )
    right, bottom = (
        round(edge) for edge in to_picture.apply(fitted.box.right - 0.5, fitted.box.bottom - 0.5)
    )
    cv2.rectangle(drawn, (left, top), (right, bottom), _YELLOW, 1)
    wall = left if fitted.side == "left" else right
    cv2.line(drawn, (wall, top), (wall, bottom), _RED, 3)
    return drawn


def _draw_fitted(fitted: Fitted) -> _Picture:
    """The model's input, enlarged to be looked at, with the outline of the mask."""
    grey = np.rint(255 * fitted.image[..., 0]).astype(np.uint8)
    rows, columns = grey.shape
    factor = max(1, _LOOKED_AT // max(rows, columns))
    large = cv2.resize(grey, (columns * factor, rows * factor), interpolation=cv2.INTER_NEAREST)
    drawn = cv2.cvtColor(large, cv2.COLOR_GRAY2BGR)
    _outline(
        drawn,
        fitted.mask,
        geometry.resize(columns, rows, columns * factor, rows * factor).inverse(),
        _GREEN,
    )
    return drawn


def _outline(drawn: _Picture, mask: Mask, to_picture: Affine, colour: _Colour) -> None:
    """Draws the border of the mask into the picture."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    scale, shift = (
        (to_picture.scale_x, to_picture.scale_y),
        (to_picture.shift_x, to_picture.shift_y),
    )
    placed = [np.rint(contour * scale + shift).astype(np.int32) for contour in contours]
    cv2.polylines(drawn, placed, isClosed=True, color=colour, thickness=1)
