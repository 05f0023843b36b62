"""From a mammogram to the model's input, and the way back to its pixels.

What an image shows must not depend on how it was stored: its constant border goes first, a mirrored one is turned next,
and all that follows sees the same pixels.
"""

import cv2
import numpy as np

from service import geometry
from service.errors import NoBreast
from service.geometry import Affine
from service.imaging.breast import find_breast, grow
from service.results import Box, FitParameters, Fitted, Floats, Mask, Pixels, Side

_SKIN = 0.01  # how far around the breast pixels are kept, as a share of the picture's long edge


def fit(mammogram_pixels: Pixels, parameters: FitParameters) -> Fitted:
    """The breast on the model's grid: chest wall on the left, aspect kept, zero outside the breast, clipped to [0, 1].

    Images that differ by being mirrored, or by a border of their darkest value, give the same but for the way back.

    Raises:
        NoBreast: the image shows none.
    """
    frame = _content_box(mammogram_pixels)
    content: Pixels = _crop(mammogram_pixels, frame)
    to_source = geometry.shift(frame.left, frame.top)
    breast = find_breast(content)
    side = _chest_wall(breast)
    if side == "right":
        content = cv2.flip(content, 1).astype(np.uint16, copy=False)
        to_source = geometry.flip(frame.width).then(to_source)
        breast = find_breast(content)
    box = _breast_box(breast, content, parameters.margin)
    grey, to_content = _place(content, box, parameters)
    mask = _sample(breast, content, to_content, parameters)
    kept = _sample(grow(breast, _SKIN), content, to_content, parameters)
    return Fitted(
        image=(_scale(grey, mask, parameters.white_percentile) * kept)[..., np.newaxis],
        mask=mask,
        to_source=to_content.then(to_source),
        box=_map_box(box, to_source),
        side=side,
    )


def _content_box(pixels: Pixels) -> Box:
    """The smallest box outside of which all is as dark as the darkest pixel."""
    darkest = pixels.min()
    (rows,), (columns,) = np.nonzero(pixels.max(axis=1) > darkest), np.nonzero(pixels.max(axis=0) > darkest)
    if not rows.size:
        raise NoBreast("No breast was found: the image is of one grey value throughout.")
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _chest_wall(breast: Mask) -> Side:
    """The side of its bounding box to which the breast's mass lies: away from the nipple."""
    widths = breast.sum(axis=0)
    present = np.flatnonzero(widths)
    centroid = np.average(np.arange(widths.size), weights=widths)
    return "left" if centroid <= (present[0] + present[-1]) / 2 else "right"


def _breast_box(breast: Mask, content: Pixels, margin: float) -> Box:
    """The breast's bounding box in the content, grown by `margin` of its longer edge and clipped."""
    (rows,), (columns,) = np.nonzero(breast.any(axis=1)), np.nonzero(breast.any(axis=0))
    height, width = content.shape
    scale_y, scale_x = height / breast.shape[0], width / breast.shape[1]
    left, right = columns[0] * scale_x, (columns[-1] + 1) * scale_x
    top, bottom = rows[0] * scale_y, (rows[-1] + 1) * scale_y
    reach = margin * max(right - left, bottom - top)
    return Box(
        left=max(0, round(left - reach)),
        top=max(0, round(top - reach)),
        right=min(width, round(right + reach)),
        bottom=min(height, round(bottom + reach)),
    )


def _crop(pixels: Pixels, box: Box) -> Pixels:
    return pixels[box.top : box.bottom, box.left : box.right]


def _place(content: Pixels, box: Box, parameters: FitParameters) -> tuple[Pixels, Affine]:
    """The box of the content on the model's grid, at its left edge and vertically centred; and the map back."""
    scale = min(parameters.height / box.height, parameters.width / box.width)
    height, width = max(1, round(box.height * scale)), max(1, round(box.width * scale))
    top = (parameters.height - height) // 2
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grid = np.zeros((parameters.height, parameters.width), np.uint16)
    grid[top : top + height, :width] = cv2.resize(_crop(content, box), (width, height), interpolation=interpolation)
    to_box = geometry.shift(0, -top).then(geometry.resize(box.width, box.height, width, height))
    return grid, to_box.then(geometry.shift(box.left, box.top))


def _sample(outline: Mask, content: Pixels, to_content: Affine, parameters: FitParameters) -> Mask:
    """The mask that was drawn on a reduced grid of the content, at the centres of the model's pixels."""
    to_reduced = geometry.resize(content.shape[1], content.shape[0], outline.shape[1], outline.shape[0]).inverse()
    matrix = np.array(to_content.then(to_reduced).matrix())
    size = (parameters.width, parameters.height)
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(outline.astype(np.uint8), matrix, size, flags=flags).astype(bool)


def _scale(grey: Pixels, mask: Mask, white_percentile: float) -> Floats:
    """The grey values over their percentile in the mask, clipped to [0, 1]."""
    inside = grey[mask]
    white = np.percentile(inside, white_percentile) if inside.size else 0
    if white == 0:
        raise NoBreast("No breast was found: what stands out from the background is black, or too small to be seen.")
    return np.minimum(grey / np.float32(white), 1).astype(np.float32)


def _map_box(box: Box, affine: Affine) -> Box:
    """The box on the other grid; its edges lie half a pixel outside its outermost pixels' centres."""
    x = [affine.apply(edge - 0.5, 0)[0] + 0.5 for edge in (box.left, box.right)]
    y = [affine.apply(0, edge - 0.5)[1] + 0.5 for edge in (box.top, box.bottom)]
    return Box(round(min(x)), round(min(y)), round(max(x)), round(max(y)))
