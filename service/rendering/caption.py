"""A caption on a picture, in a corner that shows neither breast nor heat nor a label."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from service import geometry
from service.geometry import Affine
from service.records import Mask

Corner = tuple[slice, slice]

LETTERS = 1 / 48
"""Height of the letters, as a share of the picture's longer edge."""
MIN_LETTERS = 9
"""Least height of the letters in pixels. Smaller ones could not be read."""
MAX_CONTRAST = 64
"""Largest difference of two pixels in a corner that is free, of 255: the noise of scanned film."""
INK = 230
"""Grey of the letters. They stand on black."""


@dataclass(frozen=True, slots=True)
class Caption:
    """Lines of text, and the breast that they must not cover.

    `to_source`: from the pixels of `breast` to source pixels. `is_required`: without a free corner,
    the caption covers the corner with the least breast instead of being left out.
    """

    text: str
    breast: Mask
    to_source: Affine
    is_required: bool = False


def write_caption(
    picture: NDArray[np.uint8], source_shape: tuple[int, int], caption: Caption
) -> None:
    """Write the caption into the plainest free corner of a picture [height, width, 3].

    Without a free corner it is left out, unless it is required. The picture covers the whole
    source.
    """
    height, width, _ = picture.shape
    label = _label(caption.text, max(MIN_LETTERS, round(LETTERS * max(height, width))))
    if caption.is_required:
        label = _shrunk(label, height, width)
    rows, columns = source_shape
    to_source = geometry.resize(columns, rows, width, height)

    # The corners with the least breast come first, and among them the plainest.
    ranked = sorted(
        (_breast_share(caption, to_source, corner), int(np.ptp(picture[corner])), number, corner)
        for number, corner in enumerate(_corners((height, width), label.shape))
    )
    for breast_share, contrast, _, corner in ranked[:1]:
        is_free = breast_share == 0 and contrast <= MAX_CONTRAST
        if is_free or caption.is_required:
            picture[corner] = label[..., None]


def _label(text: str, letters: int) -> NDArray[np.uint8]:
    """Return the text in grey on black, with a rim of half the height of its letters."""
    font = ImageFont.load_default(letters)
    rim = letters / 2
    _, _, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox(
        (rim, rim), text, font=font
    )

    image = Image.new("L", (round(right + rim), round(bottom + rim)))
    ImageDraw.Draw(image).multiline_text((rim, rim), text, fill=INK, font=font)
    return np.asarray(image)


def _shrunk(label: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return the label, made smaller if it is larger than a picture of that size."""
    factor = min(height / label.shape[0], width / label.shape[1])
    if factor >= 1:
        return label

    size = (max(1, int(label.shape[1] * factor)), max(1, int(label.shape[0] * factor)))
    return np.asarray(cv2.resize(label, size, interpolation=cv2.INTER_AREA), np.uint8)


def _breast_share(caption: Caption, to_source: Affine, corner: Corner) -> float:
    """Return the share of the corner with breast. `to_source`: from the picture's pixels."""
    vertical, horizontal = corner
    to_picture = geometry.shift(horizontal.start, vertical.start)
    to_mask = to_picture.then(to_source).then(caption.to_source.inverse())

    laid = cv2.warpAffine(
        caption.breast.astype(np.uint8),
        np.array(to_mask.matrix()),
        (horizontal.stop - horizontal.start, vertical.stop - vertical.start),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
    )
    return float(np.mean(laid))


def _corners(shape: tuple[int, int], label_shape: tuple[int, ...]) -> list[Corner]:
    """Return the four corners of a picture as large as the label, or none if it is too large."""
    height, width = shape
    rows, columns = label_shape
    if rows > height or columns > width:
        return []

    return [
        (vertical, horizontal)
        for vertical in (slice(0, rows), slice(height - rows, height))
        for horizontal in (slice(0, columns), slice(width - columns, width))
    ]
