"""Outline of the breast in a mammogram, from its pixels alone.

It works on digital images and films, with markers, labels and film edges.

1. Otsu's threshold (IEEE Trans. SMC 9, 1979) on the square roots of the grey values gives the body
   of the breast. It cuts off the dim periphery.
2. The outline is drawn again at a threshold between that body and the air right around it. The air
   is black in a digital image, and an uneven fog on a film. A threshold that floods the fog is
   recognised by the area that the next higher one would lose.
3. Labels and scanner edges that touch the breast are removed.
4. The result is checked: its area and shape, its contrast, and whether the air is dark.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from service import geometry
from service.errors import NoBreast
from service.geometry import Affine
from service.imaging.breast import morphology
from service.imaging.breast.coverage import cover
from service.records import Floats, Mask, Pixels

# Max long edge of the grid on which the outline is drawn: some 0.5 mm per pixel.
_LONG_EDGE = 512
# View of every second pixel: enough for large regions and for counting.
_EVERY_SECOND = np.s_[::2, ::2]

# Thresholds of the outline, as shares of the way from the air's grey to the body's grey. The first
# one is used whose outline keeps `_MIN_KEPT` of its area at a threshold that is higher by
# `_THRESHOLD_STEP`.
_OUTLINE_SHARES = (0.2, 0.25, 0.3)
_THRESHOLD_STEP = 0.05
_MIN_KEPT = 0.93
# Share of the long edge: thinner parts, and parts that hang on the breast by a thinner neck, do not
# belong to the breast.
_MIN_THICKNESS = 0.021

# Share of white, on the scale of square roots: film labels, scanner edges and implants glare.
_GLARE = 0.95
# Same scale: min brightness above air of the tissue around an implant. Fog is dimmer.
_MIN_TISSUE_CONTRAST = 0.3
# Fat around dense gland: its min brightness, relative to gland (film fog is darker), and its min
# area, relative to the picture (a dim periphery is narrower).
_MIN_FAT_BRIGHTNESS = 0.45
_MIN_FAT_AREA = 0.25

# Shares of the long edge: the max gap between the letters on a label, and the min and max thickness
# of a label. Skin is thinner, an implant thicker.
_LETTER_GAP = 0.017
_MIN_LABEL_THICKNESS = 0.025
_MAX_LABEL_THICKNESS = 0.12
# Share of the bright area: an even breast may glare throughout.
_MAX_LABEL_AREA = 0.25
# Share of white, on the scale of square roots: the surroundings of a label are darker, those of
# glaring tissue are not.
_MAX_DARK = 0.7
# Shares of a label's surroundings that must be dark, and air.
_MIN_DARK_SHARE = 0.8
_MIN_AIR_SHARE = 0.15

# Shares of the picture. Above the maximum no outline is visible.
_MIN_AREA = 0.02
_MAX_AREA = 0.99
# Share of the bounding box: half an ellipse fills 0.79, a line of text much less.
_MIN_FILL = 0.3
# Difference between breast and air, in standard deviations of the noise.
_MIN_CONTRAST = 3.0
# Percentile of the texture at which breast and air are compared. Lower percentiles would meet
# smooth implants, higher ones markers.
_TEXTURE_PERCENTILE = 70


@dataclass(frozen=True, slots=True)
class Outline:
    """The breast in a picture, pectoral muscle included.

    The grid is the picture's, reduced to at most 512 pixels along the long edge. `mask`: the
    breast. `coverage`: share of each pixel that it covers, 0..1. `to_picture`: from this grid to
    the picture's.
    """

    mask: Mask
    coverage: Floats
    to_picture: Affine


def find_breast(pixels: Pixels, displayed: Pixels | None = None) -> Outline:
    """Return the outline of the breast.

    `displayed`: the picture after the VOI transform, if `pixels` are before it. Only the texture of
    the air is judged on it: before a sigmoid window, the noise of the air is amplified.

    Raises:
        NoBreast: no large compact region stands out from a dark background.
    """
    grey, to_picture = _reduce(pixels)
    blurred = _blur(grey)

    # Step 1: the body of the breast, and a band of air around it that leaves out the body's edge.
    sample = grey[_EVERY_SECOND]
    body = _body(grey, blurred)[_EVERY_SECOND]
    air = morphology.grow(body, 0.1) & ~morphology.grow(body, 0.03)
    if not body.any() or not air.any():
        raise NoBreast("No breast was found: no region stands out from the background.")

    # Steps 2 and 3: the outline between body and air, without labels.
    air_level = float(np.median(sample[air]))
    body_level = float(np.median(sample[body]))
    breast, threshold = _outline(grey, blurred, air_level, body_level)

    # Step 4: checks.
    _require_shape(breast)
    _require_contrast(grey, blurred, breast)
    _require_dark_air(grey if displayed is None else _reduce(displayed)[0], breast)

    return Outline(breast, cover(breast, blurred, threshold), to_picture)


def _reduce(pixels: Pixels) -> tuple[Floats, Affine]:
    """Return the square roots of the grey values on the reduced grid, and the map to the picture's.

    0 is the darkest pixel. 255 is the 99.5th percentile; brighter pixels are clipped.
    """
    long_edge = max(pixels.shape)
    scale = min(1.0, _LONG_EDGE / long_edge)
    rows, columns = (max(1, round(edge * scale)) for edge in pixels.shape)

    # Of a large picture every few pixels are enough.
    step = max(1, long_edge // (2 * _LONG_EDGE))
    sample = np.ascontiguousarray(pixels[step // 2 :: step, step // 2 :: step])
    small = cv2.resize(sample, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)

    black = small.min()
    white = np.percentile(small[_EVERY_SECOND], 99.5)
    unit = np.clip((small - black) / max(white - black, 1), 0, 1)
    grey = np.asarray(255 * np.sqrt(unit), np.float32)

    to_sample = geometry.resize(sample.shape[1], sample.shape[0], columns, rows)
    return grey, to_sample.then(Affine(step, step // 2, step, step // 2))


def _body(grey: Floats, blurred: Floats) -> Mask:
    """Return the largest region above Otsu's threshold, or above a lower one.

    The lower threshold is Otsu's of the darker rest. It is used if the rest is not all air: the
    region above the first threshold is then only the implant or the gland of a breast.
    """
    threshold = _otsu(grey)
    body = _region(blurred > threshold)

    # Split the rest into its dim and its dark pixels.
    sample = grey[_EVERY_SECOND]
    rest = sample[sample <= threshold]
    lower_threshold = _otsu(rest)
    dim = rest[rest > lower_threshold]
    dark = rest[rest <= lower_threshold]
    if not body[_EVERY_SECOND].any() or not dim.size:
        return body

    # Decide whether the dim pixels are tissue: around a glaring implant, or fat around gland.
    level = np.median(sample[body[_EVERY_SECOND]])
    if level >= 255 * _GLARE:
        is_tissue = (
            dim.mean() - dark.mean() >= 255 * _MIN_TISSUE_CONTRAST
            and dim.size >= _MIN_AREA * sample.size
        )
    else:
        is_tissue = (
            dim.mean() >= _MIN_FAT_BRIGHTNESS * level and dim.size >= _MIN_FAT_AREA * sample.size
        )
    return _region(blurred > lower_threshold) if is_tissue else body


def _outline(
    grey: Floats, blurred: Floats, air_level: float, body_level: float
) -> tuple[Mask, float]:
    """Return the largest region above the lowest threshold that does not flood fog, without labels.

    If every threshold floods fog, the highest one is used. The threshold is returned, too.
    """
    for share in _OUTLINE_SHARES:
        threshold = air_level + share * (body_level - air_level)
        bright = blurred > threshold
        outline = _region(bright)

        # At the edge of the breast the grey is steep, and a higher threshold loses little area. In
        # fog it is flat, and the next threshold loses much.
        next_share = share + _THRESHOLD_STEP
        kept = outline & (blurred > air_level + next_share * (body_level - air_level))
        if np.count_nonzero(kept) > _MIN_KEPT * np.count_nonzero(outline):
            break

    labels = _labels(grey, bright)
    return (_region(bright & ~labels) if labels.any() else outline), threshold


def _region(bright: Mask) -> Mask:
    return morphology.largest_region(morphology.remove_thin(bright, _MIN_THICKNESS))


def _labels(grey: Floats, bright: Mask) -> Mask:
    """Return the mask of film labels and scanner edges, with a margin.

    These are regions that glare, thicker than skin and thinner than an implant, with sharp edges
    that lie partly against air.
    """
    coarse = grey[_EVERY_SECOND]
    air = ~bright[_EVERY_SECOND]

    # Glaring regions: the gaps between letters closed, skin removed.
    closed = morphology.close_gaps(coarse >= 255 * _GLARE, _LETTER_GAP)
    glare = morphology.remove_thin(closed, _MIN_LABEL_THICKNESS).astype(np.uint8)
    thickness = 2 * cv2.distanceTransform(glare, cv2.DIST_L2, 3) / max(coarse.shape)

    # Keep those that are labels by their size and their surroundings.
    count, components = cv2.connectedComponents(glare)
    labels = np.zeros_like(air)
    for index in range(1, count):
        component = components == index
        if (
            thickness[component].max() <= _MAX_LABEL_THICKNESS
            and component.sum() <= _MAX_LABEL_AREA * (~air).sum()
            and _has_sharp_edge(component, coarse, air)
        ):
            labels |= morphology.grow(component, 0.015)

    # Back to the full grid.
    return cv2.resize(
        labels.astype(np.uint8), bright.shape[::-1], interpolation=cv2.INTER_NEAREST
    ).astype(bool)


def _has_sharp_edge(component: Mask, coarse: Floats, air: Mask) -> bool:
    """Tell whether the surroundings of the component are mostly dark, and partly air."""
    edge = morphology.grow(component, 0.01)
    around = morphology.grow(component, 0.03) & ~edge
    dark = coarse[around] < 255 * _MAX_DARK
    return bool(
        dark.sum() >= _MIN_DARK_SHARE * around.sum()
        and air[around].sum() >= _MIN_AIR_SHARE * around.sum()
    )


def _blur(grey: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(grey, (5, 5), 0), np.float32)


def _otsu(grey: Floats) -> float:
    whole = np.rint(grey).astype(np.uint8)
    return cv2.threshold(whole, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]


def _require_shape(breast: Mask) -> None:
    """Raise NoBreast if the region is too small, too large or too sparse."""
    if not _MIN_AREA <= breast.mean() <= _MAX_AREA:
        raise NoBreast(
            "No breast was found: the only bright region is too small, or fills the whole image."
        )

    rows = np.flatnonzero(breast.any(axis=1))
    columns = np.flatnonzero(breast.any(axis=0))
    if breast.sum() < _MIN_FILL * (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1):
        raise NoBreast("No breast was found: the bright region is not shaped like a breast.")


def _require_contrast(grey: Floats, blurred: Floats, breast: Mask) -> None:
    """Raise NoBreast if the region stands out from the noise too little."""
    noise = np.sqrt(np.mean(np.square(cv2.absdiff(grey, blurred)[_EVERY_SECOND], dtype=np.float32)))
    if grey[breast].mean() - grey[~breast].mean() < _MIN_CONTRAST * noise:
        raise NoBreast("No breast was found: the image is mostly noise.")


def _require_dark_air(grey: Floats, breast: Mask) -> None:
    """Raise NoBreast if the region is smoother than its surroundings, like a negative's air."""
    # Squares, because the square root amplifies the texture of dark regions.
    light = np.square(grey, dtype=np.float32)
    texture = cv2.absdiff(light, cv2.GaussianBlur(light, (5, 5), 0))[_EVERY_SECOND]

    # Compare both sides of the outline, at a distance from it.
    inside = ~morphology.grow(~breast[_EVERY_SECOND], 0.015)
    outside = ~morphology.grow(breast[_EVERY_SECOND], 0.015)
    if not inside.any() or not outside.any():
        return

    texture_inside = np.percentile(texture[inside], _TEXTURE_PERCENTILE)
    texture_outside = np.percentile(texture[outside], _TEXTURE_PERCENTILE)
    if texture_inside < texture_outside:
        raise NoBreast(
            "No breast was found: the image is inverted. Send the image with a black background."
        )
