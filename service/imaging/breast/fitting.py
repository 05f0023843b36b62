"""Fit a mammogram to the model's grid, and keep the map back to its pixels.

The model input must not depend on how an image was stored. Therefore no step snaps to pixels of the
decoded picture: the edges of the breast lie between pixels, and one resampling leads from the
decoded grid to the model's.
"""

import math

import cv2
import numpy as np
from PIL import Image

from service import geometry
from service.errors import NoBreast
from service.geometry import Affine
from service.imaging.breast import coverage, morphology
from service.imaging.breast.chest_wall import chest_wall, chest_wall_warnings
from service.imaging.breast.outline import Outline, find_breast
from service.imaging.breast.placed_picture import Extent, PlacedPicture
from service.records import FitParameters, Fitted, Floats, Mask, Pixels

# Min resolution before resizing, as a multiple of the model's grid: its pixels are averages.
_MIN_OVERSAMPLING = 2
# Min height and width in pixels for drawing the outline.
_MIN_EDGE = 384
# Share of the picture's long edge: pixels this far outside the outline are kept as skin.
_SKIN = 0.01
# Pixels around a picture that the resampling filter may reach, per decoded pixel in a model's.
_REACH = 2
_HALF = 0.5  # of a model's pixel: the min share that the breast covers in its mask


def fit(pixels: Pixels, parameters: FitParameters) -> Fitted:
    """Fit the breast in the pixels to the model's grid; see `fit_content`."""
    return fit_content(PlacedPicture.of_pixels(pixels).without_border(), parameters)


def fit_content(whole: PlacedPicture, parameters: FitParameters) -> Fitted:
    """Fit the breast in a picture without its border to the model's grid.

    The chest wall is on the left, the aspect ratio is kept, pixels outside the breast are zero, and
    values are clipped to [0, 1]. Mirroring an image, or adding a border of one grey value, changes
    only the map back.

    Raises:
        NoBreast: the image shows no breast.
    """
    # Fit at the lowest sufficient resolution.
    halvings = geometry.max_halvings(*whole.shape, min_input_size(parameters))
    fitted = _fit(whole, parameters, halvings)

    # A small breast fills the grid with fewer pixels than the reduced picture was made for: use the
    # full resolution.
    if halvings and is_too_coarse(fitted):
        return _fit(whole, parameters, 0)
    return fitted


def min_input_size(parameters: FitParameters) -> tuple[int, int]:
    """Return the min rows and columns of a picture for the fit. Finer pictures may be reduced."""
    return (
        max(_MIN_OVERSAMPLING * parameters.height, _MIN_EDGE),
        max(_MIN_OVERSAMPLING * parameters.width, _MIN_EDGE),
    )


def is_too_coarse(fitted: Fitted) -> bool:
    """Return whether the model's pixels are finer than those of the reduced picture."""
    return fitted.reduction > max(1, fitted.to_source.scale_y)


def _fit(whole: PlacedPicture, parameters: FitParameters, halvings: int) -> Fitted:
    """Fit a picture without border at a reduced resolution."""
    # Outline the breast, and flip the picture if the chest wall is on the right.
    content = whole.reduced(halvings)
    outline = _outline(content)
    side = chest_wall(outline.mask)
    if side == "right":
        # Again from the pixels: a flipped result would differ from that of the mirrored image.
        content = whole.mirrored().reduced(halvings)
        outline = _outline(content)

    # Place the breast's box on the model's grid.
    box = _breast_box(outline, content, parameters.margin)
    to_content = _placement(box, parameters)
    grey = _resample(content.pixels, to_content, parameters)

    # The mask on the same grid. `kept` includes a rim of skin around the mask, with a soft edge.
    shown = _visible(content.extent.mapped(to_content.inverse()), parameters)
    mask = _sample(outline.coverage, outline, to_content, parameters) * shown >= _HALF
    skin = morphology.grow(outline.mask, _SKIN).astype(np.float32)
    kept = _sample(skin, outline, to_content, parameters) * shown
    image = _scale(grey, mask, parameters.white_percentile) * kept

    # Everything else in terms of the source.
    source_breast, breast_to_source = _unflip(outline, content.to_source)
    source = whole.extent.mapped(whole.to_source)
    return Fitted(
        image=image[..., np.newaxis],
        mask=mask,
        breast=source_breast,
        breast_to_source=breast_to_source,
        to_source=to_content.then(content.to_source),
        box=box.mapped(content.to_source).within(source).touched(),
        side=side,
        reduction=content.step,
        warnings=(*outline.doubts.warnings, *chest_wall_warnings(outline.mask)),
    )


def _outline(content: PlacedPicture) -> Outline:
    """Outline the breast on the values before the VOI transform."""
    has_transform = content.signal is not content.pixels
    return find_breast(content.signal, content.pixels if has_transform else None)


def _unflip(outline: Outline, to_source: Affine) -> tuple[Mask, Affine]:
    """Return the mask of the breast as it lies in the source, and its map to source pixels."""
    breast = outline.mask
    breast_to_source = outline.to_picture.then(to_source)

    is_flipped = to_source.scale_x < 0
    if not is_flipped:
        return breast, breast_to_source
    mirrored = np.ascontiguousarray(breast[:, ::-1])
    return mirrored, geometry.flip(breast.shape[1]).then(breast_to_source)


def _breast_box(outline: Outline, content: PlacedPicture, margin: float) -> Extent:
    """Return the breast's box in the content, grown by `margin` of its longer edge and clipped."""
    breast = coverage.edges(outline.coverage).mapped(outline.to_picture)

    growth = margin * max(breast.width, breast.height)
    grown = Extent(
        breast.left - growth, breast.top - growth, breast.right + growth, breast.bottom + growth
    )
    return grown.within(content.extent)


def _placement(box: Extent, parameters: FitParameters) -> Affine:
    """Return the map from the model's grid to the content.

    The box is as large as the grid allows, at its left edge and vertically centred.
    """
    scale = max(box.height / parameters.height, box.width / parameters.width)
    middle = (box.top + box.bottom) / 2

    return Affine(
        scale_x=scale,
        shift_x=box.left + scale / 2,
        scale_y=scale,
        shift_y=middle - scale * (parameters.height - 1) / 2,
    )


def _resample(pixels: Pixels, to_content: Affine, parameters: FitParameters) -> Floats:
    """Return the grey values on the model's grid, in one resampling at fractional positions.

    Pillow's filter widens with the scale, so that every pixel counts. Beyond the edges of the
    content the outermost values continue.
    """
    grid = Extent(-0.5, -0.5, parameters.width - 0.5, parameters.height - 0.5)
    wanted = grid.mapped(to_content)
    reach = math.ceil(_REACH * max(1.0, to_content.scale_y))
    cut, left, top = _cut_out(pixels, wanted, reach)

    # Pillow counts from the edge of the first pixel.
    box = (
        wanted.left + 0.5 - left,
        wanted.top + 0.5 - top,
        wanted.right + 0.5 - left,
        wanted.bottom + 0.5 - top,
    )
    resized = Image.fromarray(cut.astype(np.float32)).resize(
        (parameters.width, parameters.height), Image.Resampling.HAMMING, box
    )
    return np.asarray(resized, np.float32).clip(0)


def _cut_out(pixels: Pixels, wanted: Extent, reach: int) -> tuple[Pixels, int, int]:
    """Cut out a rectangle with `reach` pixels around it, continued beyond the edges of the pixels.

    Returns the column and the row of its first pixel, too.
    """
    rows, columns = pixels.shape
    left = math.floor(wanted.left) - reach
    top = math.floor(wanted.top) - reach
    right = math.ceil(wanted.right) + reach
    bottom = math.ceil(wanted.bottom) + reach

    inner = pixels[max(top, 0) : min(bottom, rows), max(left, 0) : min(right, columns)]
    cut = cv2.copyMakeBorder(
        inner,
        max(-top, 0),
        max(bottom - rows, 0),
        max(-left, 0),
        max(right - columns, 0),
        cv2.BORDER_REPLICATE,
    )
    return np.asarray(cut, np.uint16), left, top


def _visible(content: Extent, parameters: FitParameters) -> Floats:
    """Return the share of each pixel of the model's grid that lies in the content, 0..1.

    `content`: on that grid.
    """
    y = np.arange(parameters.height)
    x = np.arange(parameters.width)
    rows = (np.minimum(y + 0.5, content.bottom) - np.maximum(y - 0.5, content.top)).clip(0)
    columns = (np.minimum(x + 0.5, content.right) - np.maximum(x - 0.5, content.left)).clip(0)
    return np.asarray(np.outer(rows, columns), np.float32)


def _sample(
    values: Floats, outline: Outline, to_content: Affine, parameters: FitParameters
) -> Floats:
    """Interpolate values on the outline's grid at the model's pixel centres."""
    matrix = np.array(to_content.then(outline.to_picture.inverse()).matrix())
    size = (parameters.width, parameters.height)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    sampled = cv2.warpAffine(values, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.float32)


def _scale(grey: Floats, mask: Mask, white_percentile: float) -> Floats:
    """Divide the grey values by their percentile in the mask and clip them to [0, 1]."""
    inside = grey[mask]
    white = np.percentile(inside, white_percentile) if inside.size else 0
    if white <= 0:
        raise NoBreast(
            "No breast was found: the region that stands out is black, or too small to be seen."
        )
    return np.asarray(np.minimum(grey / np.float32(white), 1), np.float32)
