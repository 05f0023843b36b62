"""Random variations of images: place, size, grey values, and black rectangles.

A variation is drawn first and applied later, so that images may be varied in any order and by any
number of threads.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from service.records import Floats
from training.training_config import Augmentation

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Hole:
    """Rectangle that becomes black. All values are shares of the grid."""

    top: float
    left: float
    height: float
    width: float


@dataclass(frozen=True, slots=True)
class Variation:
    """Variation of an image. The defaults leave it as it is.

    `flipped`: top and bottom are swapped. `zoom`, `angle`: about the middle of the chest wall, in
    degrees; a positive angle turns the nipple up. `shift_x`, `shift_y`: shares of the grid.
    `contrast`: slope of the grey values at 0.5.
    """

    flipped: bool = False
    zoom: float = 1.0
    angle: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    gain: float = 1.0
    gamma: float = 1.0
    contrast: float = 1.0
    hole: Hole | None = None


def draw_variation(augmentation: Augmentation, rng: np.random.Generator) -> Variation:
    """Draw a variation of one image."""
    # The order of these draws decides the pixels of every epoch.
    flipped = augmentation.flip and rng.random() < _HALF
    zoom = 1 + augmentation.zoom * rng.uniform(-1, 1)
    shift_x, shift_y = augmentation.shift * rng.uniform(-1, 1, size=2)
    top, bottom, right = augmentation.crop * rng.uniform(-1, 1, size=3)
    gain, gamma = 1 + np.array((augmentation.gain, augmentation.gamma)) * rng.uniform(-1, 1, size=2)

    # Without these keys nothing is drawn, so that experiments from before them keep their pixels.
    angle = augmentation.rotate * rng.uniform(-1, 1) if augmentation.rotate else 0.0
    contrast = 1 + augmentation.contrast * rng.uniform(-1, 1) if augmentation.contrast else 1.0
    hole = _draw_hole(augmentation.cutout, rng) if augmentation.cutout else None

    # A box with other edges is placed on the grid in another size, and its middle is elsewhere.
    zoom *= min(1 / (1 + top + bottom), 1 / (1 + right))
    shift_y += zoom * (top - bottom) / 2

    return Variation(flipped, zoom, angle, shift_x, shift_y, gain, gamma, contrast, hole)


def _draw_hole(share: float, rng: np.random.Generator) -> Hole | None:
    """Draw a rectangle within the grid, whose edges have up to this share of it, or none."""
    present = rng.random() < _HALF
    height, width = share * rng.random(size=2)
    top, left = rng.random(size=2) * (1 - height, 1 - width)

    return Hole(top, left, height, width) if present else None


def vary(image: Floats, variation: Variation, out: Floats) -> None:
    """Write the variation of an image [height, width] into `out`, which has the same shape.

    Black stays black, and the chest wall stays on the left. Values are in [0, 1]. Only the edges of
    a hole are rounded to whole pixels.
    """
    height, width = image.shape
    cv2.warpAffine(
        image[::-1] if variation.flipped else image,
        _affine(variation, height, width),
        (width, height),
        dst=out,
        flags=cv2.INTER_LINEAR,
    )
    _change_tone(out, variation)

    if variation.hole is not None:
        hole = variation.hole
        top, bottom = (round(height * edge) for edge in (hole.top, hole.top + hole.height))
        left, right = (round(width * edge) for edge in (hole.left, hole.left + hole.width))
        out[top:bottom, left:right] = 0


def _affine(variation: Variation, height: int, width: int) -> NDArray[np.float64]:
    """Return the map from a pixel (x, y) of the image, after the flip, to that of its variation."""
    cosine = variation.zoom * math.cos(math.radians(variation.angle))
    sine = variation.zoom * math.sin(math.radians(variation.angle))

    # Zoom and turn about the middle of the chest wall, which is at x = 0.
    middle = (height - 1) / 2
    move_x = variation.shift_x * width - sine * middle
    move_y = variation.shift_y * height + (1 - cosine) * middle
    return np.array([[cosine, sine, move_x], [-sine, cosine, move_y]])


def _change_tone(pixels: Floats, variation: Variation) -> None:
    """Change grey values in place: gain * value ** gamma, at most 1, and then the contrast.

    The contrast is a cubic curve that keeps black, middle grey and white, so that the air around
    the breast stays black. It is cut off at 0 and 1, where a contrast above 1.5 leaves the range.
    """
    # The power by logarithms in float32, which NumPy does four times as fast as its own power.
    if (variation.gain, variation.gamma) != (1, 1):
        with np.errstate(divide="ignore"):
            np.log(pixels, out=pixels)
        pixels *= np.float32(variation.gamma)
        np.exp(pixels, out=pixels)
        pixels *= np.float32(variation.gain)
    np.clip(pixels, 0, 1, out=pixels)

    if variation.contrast != 1:
        bend = np.float32(2 * (variation.contrast - 1))
        pixels += bend * pixels * (1 - pixels) * (2 * pixels - 1)
        np.clip(pixels, 0, 1, out=pixels)
