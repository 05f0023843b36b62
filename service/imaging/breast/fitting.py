"""From a mammogram to the model's input, and the way back to its pixels.

What an image shows must not depend on how it was stored: its constant border goes first, a mirrored one is turned next,
and all that follows sees the same pixels.
"""

import cv2
import numpy as np

from service import geometry
from service.errors import NoBreast
from service.geometry import IDENTITY, Affine
from service.imaging.breast import morphology
from service.imaging.breast.border import crop, within_border
from service.imaging.breast.outline import find_breast
from service.records import Box, FitParameters, Fitted, Floats, Mask, Pixels, Side

_BRIM = 0.02  # of the breast's width: the columns in which its two sides are compared
_FINER = 2  # times the model's grid is what its pixels are averaged from, at the least
_MIN_EDGE = 384  # pixels, to draw the outline on
_SKIN = 0.01  # how far around the breast pixels are kept, as a share of the picture's long edge


def fit(mammogram_pixels: Pixels, parameters: FitParameters) -> Fitted:
    """The breast on the model's grid: chest wall on the left, aspect kept, zero outside the breast, clipped to [0, 1].

    Images that differ by being mirrored, or by a border of one grey value, give the same but for the way back.

    Raises:
        NoBreast: the image shows none.
    """
    frame = within_border(mammogram_pixels)
    whole: Pixels = crop(mammogram_pixels, frame)
    to_source = geometry.shift(frame.left, frame.top)
    factor = 2 ** geometry.max_halvings(whole.shape[0], whole.shape[1], min_input_size(parameters))
    fitted = _fit(whole, to_source, parameters, factor)
    if fitted.to_source.scale_y < factor:  # so small a breast needs all the pixels there are
        return _fit(whole, to_source, parameters, 1)
    return fitted


def min_input_size(parameters: FitParameters) -> tuple[int, int]:
    """The rows and columns that a picture needs to have for the fit; what is finer may be reduced."""
    return max(_FINER * parameters.height, _MIN_EDGE), max(_FINER * parameters.width, _MIN_EDGE)


def _fit(whole: Pixels, to_source: Affine, parameters: FitParameters, factor: int) -> Fitted:
    content, to_whole = _shrink(whole, factor)
    breast = find_breast(content)
    side = _chest_wall(breast)
    if side == "right":
        whole = cv2.flip(whole, 1).astype(np.uint16, copy=False)
        to_source = geometry.flip(whole.shape[1]).then(to_source)
        content, to_whole = _shrink(whole, factor)
        breast = find_breast(content)
    to_source = to_whole.then(to_source)
    box = _breast_box(breast, content, parameters.margin)
    grey, to_content = _place(content, box, parameters)
    mask = _sample(breast, content, to_content, parameters)
    kept = _sample(morphology.grow(breast, _SKIN), content, to_content, parameters)
    upright, upright_to_source = _turn_back(breast, content, to_source)
    return Fitted(
        image=(_scale(grey, mask, parameters.white_percentile) * kept)[..., np.newaxis],
        mask=mask,
        breast=upright,
        breast_to_source=upright_to_source,
        to_source=to_content.then(to_source),
        box=map_box(box, to_source),
        side=side,
    )


def _shrink(pixels: Pixels, factor: int) -> tuple[Pixels, Affine]:
    """The means of squares of so many pixels, without the remainder at the right and at the bottom; and the map back.

    OpenCV averages over whole squares several times as fast as over parts of pixels, and all else has less to do.
    """
    if factor == 1:
        return pixels, IDENTITY
    height, width = (edge // factor for edge in pixels.shape)
    squares = pixels[: height * factor, : width * factor]
    small = np.asarray(
        cv2.resize(squares, (width, height), interpolation=cv2.INTER_AREA), np.uint16
    )
    return small, geometry.resize(width * factor, height * factor, width, height)


def _chest_wall(breast: Mask) -> Side:
    """The side where the breast ends straight, over a long stretch, and to which its mass lies: away from the nipple.

    Where the picture cuts a large breast off on both sides, the mass says little; on an oblique film, the stretch.
    """
    (columns,) = np.nonzero(breast.any(axis=0))
    widths = breast[:, columns[0] : columns[-1] + 1].sum(axis=0) / breast.any(axis=1).sum()
    brim = max(1, round(_BRIM * widths.size))
    stretch = widths[:brim].mean() - widths[-brim:].mean()
    mass = 1 - 2 * np.average(np.linspace(0, 1, widths.size), weights=widths)
    return "left" if stretch + mass >= 0 else "right"


def _turn_back(breast: Mask, content: Pixels, to_source: Affine) -> tuple[Mask, Affine]:
    """The breast as it lies in the source, and the map from its grid to source pixels."""
    (rows, columns), (height, width) = breast.shape, content.shape
    to_pixels = geometry.resize(width, height, columns, rows).then(to_source)
    if to_source.scale_x > 0:
        return breast, to_pixels
    return np.ascontiguousarray(breast[:, ::-1]), geometry.flip(columns).then(to_pixels)


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


def _place(content: Pixels, box: Box, parameters: FitParameters) -> tuple[Pixels, Affine]:
    """The box of the content on the model's grid, at its left edge and vertically centred; and the map back."""
    scale = min(parameters.height / box.height, parameters.width / box.width)
    height, width = max(1, round(box.height * scale)), max(1, round(box.width * scale))
    top = (parameters.height - height) // 2
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grid = np.zeros((parameters.height, parameters.width), np.uint16)
    grid[top : top + height, :width] = cv2.resize(
        crop(content, box), (width, height), interpolation=interpolation
    )
    to_box = geometry.shift(0, -top).then(geometry.resize(box.width, box.height, width, height))
    return grid, to_box.then(geometry.shift(box.left, box.top))


def _sample(outline: Mask, content: Pixels, to_content: Affine, parameters: FitParameters) -> Mask:
    """The mask that was drawn on a reduced grid of the content, at the centres of the model's pixels."""
    to_reduced = geometry.resize(
        content.shape[1], content.shape[0], outline.shape[1], outline.shape[0]
    ).inverse()
    matrix = np.array(to_content.then(to_reduced).matrix())
    size = (parameters.width, parameters.height)
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(outline.astype(np.uint8), matrix, size, flags=flags).astype(bool)


def _scale(grey: Pixels, mask: Mask, white_percentile: float) -> Floats:
    """The grey values over their percentile in the mask, clipped to [0, 1]."""
    inside = grey[mask]
    white = np.percentile(inside, white_percentile) if inside.size else 0
    if white == 0:
        raise NoBreast(
            "No breast was found: what stands out from the background is black, or too small to be seen."
        )
    return np.minimum(grey / np.float32(white), 1).astype(np.float32)


def map_box(box: Box, affine: Affine) -> Box:
    """The box on the other grid; its edges lie half a pixel outside its outermost pixels' centres."""
    x = [affine.apply(edge - 0.5, 0)[0] + 0.5 for edge in (box.left, box.right)]
    y = [affine.apply(0, edge - 0.5)[1] + 0.5 for edge in (box.top, box.bottom)]
    return Box(round(min(x)), round(min(y)), round(max(x)), round(max(y)))
