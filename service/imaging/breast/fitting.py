"""Fit a mammogram to the model's grid, and keep the map back to its pixels.

The model input must not depend on how an image was stored. Therefore the constant border is
removed first and a mirrored image is flipped next, so that all later steps see the same pixels.
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

# Share of the breast's width: the columns at either end whose heights are compared.
_BRIM = 0.02
# Min resolution before resizing, as a multiple of the model's grid: its pixels are averages.
_MIN_OVERSAMPLING = 2
# Min height and width in pixels for drawing the outline.
_MIN_EDGE = 384
# Share of the picture's long edge: pixels this far outside the outline are kept as skin.
_SKIN = 0.01


def fit(mammogram_pixels: Pixels, parameters: FitParameters) -> Fitted:
    """Fit the breast to the model's grid.

    The chest wall is on the left, the aspect ratio is kept, pixels outside the breast are zero, and
    values are clipped to [0, 1]. Mirroring an image, or adding a border of one grey value, changes
    only the map back.

    Raises:
        NoBreast: the image shows no breast.
    """
    # Remove the constant border.
    frame = within_border(mammogram_pixels)
    whole: Pixels = crop(mammogram_pixels, frame)
    to_source = geometry.shift(frame.left, frame.top)

    # Fit at the lowest sufficient resolution.
    factor = 2 ** geometry.max_halvings(whole.shape[0], whole.shape[1], min_input_size(parameters))
    fitted = _fit(whole, to_source, parameters, factor)

    # A small breast fills the grid with fewer pixels than the reduced picture was made for: use the
    # full resolution.
    if fitted.to_source.scale_y < factor:
        return _fit(whole, to_source, parameters, 1)
    return fitted


def min_input_size(parameters: FitParameters) -> tuple[int, int]:
    """Return the min rows and columns of a picture for the fit. Finer pictures may be reduced."""
    return (
        max(_MIN_OVERSAMPLING * parameters.height, _MIN_EDGE),
        max(_MIN_OVERSAMPLING * parameters.width, _MIN_EDGE),
    )


def _fit(whole: Pixels, to_source: Affine, parameters: FitParameters, factor: int) -> Fitted:
    """Fit a picture without border, downsampled by `factor`. `to_source` leads from its pixels."""
    # Outline the breast, and flip the picture if the chest wall is on the right.
    content, to_whole = _downsample(whole, factor)
    breast = find_breast(content)
    side = _chest_wall(breast)
    if side == "right":
        whole = cv2.flip(whole, 1).astype(np.uint16, copy=False)
        to_source = geometry.flip(whole.shape[1]).then(to_source)
        # Again from the pixels: a flipped result would differ from that of the mirrored image.
        content, to_whole = _downsample(whole, factor)
        breast = find_breast(content)
    to_source = to_whole.then(to_source)

    # Cut the breast's box out and resize it to the model's grid.
    box = _breast_box(breast, content, parameters.margin)
    grey, to_content = _place(content, box, parameters)

    # The mask on the same grid. `kept` includes a rim of skin around the mask.
    mask = _sample(breast, content, to_content, parameters)
    kept = _sample(morphology.grow(breast, _SKIN), content, to_content, parameters)
    image = _scale(grey, mask, parameters.white_percentile) * kept

    # Everything else in terms of the source.
    source_breast, breast_to_source = _unflip(breast, content, to_source)
    return Fitted(
        image=image[..., np.newaxis],
        mask=mask,
        breast=source_breast,
        breast_to_source=breast_to_source,
        to_source=to_content.then(to_source),
        box=map_box(box, to_source),
        side=side,
    )


def _downsample(pixels: Pixels, factor: int) -> tuple[Pixels, Affine]:
    """Downsample by an integer factor (block mean), cropping the remainder at the right and bottom.

    Returns the image and the map back. OpenCV averages whole blocks several times as fast as
    fractions of pixels, and all later steps have less to do.
    """
    if factor == 1:
        return pixels, IDENTITY

    height, width = (edge // factor for edge in pixels.shape)
    blocks = pixels[: height * factor, : width * factor]
    means = cv2.resize(blocks, (width, height), interpolation=cv2.INTER_AREA)
    to_pixels = geometry.resize(width * factor, height * factor, width, height)
    return np.asarray(means, np.uint16), to_pixels


def _chest_wall(breast: Mask) -> Side:
    """Return the side of the chest wall: the breast ends straight there, and most of it lies there.

    Two measures are added. Where the picture cuts a large breast off on both sides, the centre of
    mass says little. On an oblique film, the straight edge says little.
    """
    # Height of the breast in each column, as a share of its overall height.
    (columns,) = np.nonzero(breast.any(axis=0))
    heights = breast[:, columns[0] : columns[-1] + 1].sum(axis=0) / breast.any(axis=1).sum()

    # Straight edge: how much higher the leftmost columns are than the rightmost ones.
    brim = max(1, round(_BRIM * heights.size))
    edge_difference = heights[:brim].mean() - heights[-brim:].mean()

    # Centre of mass: 1 at the left end, -1 at the right end.
    mass = 1 - 2 * np.average(np.linspace(0, 1, heights.size), weights=heights)
    return "left" if edge_difference + mass >= 0 else "right"


def _unflip(breast: Mask, content: Pixels, to_source: Affine) -> tuple[Mask, Affine]:
    """Return the mask of the breast as it lies in the source, and its map to source pixels."""
    rows, columns = breast.shape
    height, width = content.shape
    breast_to_source = geometry.resize(width, height, columns, rows).then(to_source)

    is_flipped = to_source.scale_x < 0
    if not is_flipped:
        return breast, breast_to_source
    mirrored = np.ascontiguousarray(breast[:, ::-1])
    return mirrored, geometry.flip(columns).then(breast_to_source)


def _breast_box(breast: Mask, content: Pixels, margin: float) -> Box:
    """Return the breast's box in the content, grown by `margin` of its longer edge and clipped."""
    (rows,) = np.nonzero(breast.any(axis=1))
    (columns,) = np.nonzero(breast.any(axis=0))

    # Bounding box of the mask, in pixels of the content.
    height, width = content.shape
    scale_y = height / breast.shape[0]
    scale_x = width / breast.shape[1]
    left = columns[0] * scale_x
    right = (columns[-1] + 1) * scale_x
    top = rows[0] * scale_y
    bottom = (rows[-1] + 1) * scale_y

    growth = margin * max(right - left, bottom - top)
    return Box(
        left=max(0, round(left - growth)),
        top=max(0, round(top - growth)),
        right=min(width, round(right + growth)),
        bottom=min(height, round(bottom + growth)),
    )


def _place(content: Pixels, box: Box, parameters: FitParameters) -> tuple[Pixels, Affine]:
    """Resize the box to the model's grid, at its left edge and vertically centred.

    Returns the grey values on the grid, and the map from the grid to the content.
    """
    scale = min(parameters.height / box.height, parameters.width / box.width)
    height = max(1, round(box.height * scale))
    width = max(1, round(box.width * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(crop(content, box), (width, height), interpolation=interpolation)

    top = (parameters.height - height) // 2
    grid = np.zeros((parameters.height, parameters.width), np.uint16)
    grid[top : top + height, :width] = resized

    to_box = geometry.shift(0, -top).then(geometry.resize(box.width, box.height, width, height))
    return grid, to_box.then(geometry.shift(box.left, box.top))


def _sample(outline: Mask, content: Pixels, to_content: Affine, parameters: FitParameters) -> Mask:
    """Sample the mask, drawn on a reduced grid of the content, at the model's pixel centres."""
    to_reduced = geometry.resize(
        content.shape[1], content.shape[0], outline.shape[1], outline.shape[0]
    ).inverse()
    matrix = np.array(to_content.then(to_reduced).matrix())
    size = (parameters.width, parameters.height)
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(outline.astype(np.uint8), matrix, size, flags=flags).astype(bool)


def _scale(grey: Pixels, mask: Mask, white_percentile: float) -> Floats:
    """Divide the grey values by their percentile in the mask and clip them to [0, 1]."""
    inside = grey[mask]
    white = np.percentile(inside, white_percentile) if inside.size else 0
    if white == 0:
        raise NoBreast(
            "No breast was found: the region that stands out is black, or too small to be seen."
        )
    return np.minimum(grey / np.float32(white), 1).astype(np.float32)


def map_box(box: Box, affine: Affine) -> Box:
    """Map the box to another grid. Its edges lie half a pixel outside its outer pixel centres."""
    x = [affine.apply(edge - 0.5, 0)[0] + 0.5 for edge in (box.left, box.right)]
    y = [affine.apply(0, edge - 0.5)[1] + 0.5 for edge in (box.top, box.bottom)]
    return Box(round(min(x)), round(min(y)), round(max(x)), round(max(y)))
