"""Where the breast is in a mammogram, from its pixels alone: digital or film, with markers, labels and film edges.

Otsu's threshold (IEEE Trans. SMC 9, 1979) on square roots of the grey values finds the body of the breast, but cuts
off its dim periphery. So the outline is drawn again between that body and the air right around it, whatever that is:
black in a digital image; on a film a fog that is not the same everywhere. A threshold that floods the fog is known by
the area that the next one would save. Labels and scanner edges that lie against the breast are taken off last.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from service.errors import NoBreast
from service.imaging.breast import morphology
from service.records import Mask, Pixels

_LONG_EDGE = 512  # of the grid the outline is drawn on: some 0.5 mm to a pixel
_PERIPHERY = (
    0.2,
    0.25,
    0.3,
)  # thresholds of the outline, as shares of the way from the air to the body
_STEP, _KEPT = (
    0.05,
    0.93,
)  # the outline is taken that keeps this share of its area if its threshold rises by the step
_NECK = 0.021  # of the long edge: what is thinner, or hangs on the breast by less, does not belong to it

_GLARE = 0.95  # of white, on the scale of square roots: film labels, scanner edges, implants
_HARDLY_BRIGHT = (
    0.3  # likewise: how much brighter than air the tissue around an implant is; fog is less
)
_FAT, _MUCH_FAT = (
    0.45,
    0.25,
)  # in terms of gland, and of the picture: film fog is darker, a dim periphery narrower
_LETTERING = 0.017  # of the long edge: as wide are the gaps that letters leave in a label
_LABEL = (
    0.025,
    0.12,
)  # of the long edge: the narrowest and the widest label; skin is thinner, an implant thicker
_MAX_LABEL = 0.25  # of all that is bright: an even breast may glare throughout
_SHADOW = 0.7  # of white, on the scale of square roots: around a label, not around tissue that glares, it is darker
_MIN_SHADOW = 0.8  # of a label's surroundings
_MIN_AIR = 0.15  # of a label's surroundings

_MIN_AREA = 0.02  # of the picture
_MAX_AREA = 0.99  # beyond it no outline is to be seen
_MIN_FILL = 0.3  # of its bounding box: half an ellipse fills 0.79, a line of text much less
_MIN_CONTRAST = 3.0  # between breast and air, in standard deviations of the noise
_TEXTURED = 70  # percentile of the texture at which breast and air are compared: implants are smooth, markers are not

_SPARSE = np.s_[::2, ::2]  # pixels of the grid that are enough for what is large, or counted

_Grey = NDArray[np.uint8]


def find_breast(pixels: Pixels) -> Mask:
    """The breast, chest muscle included, on the picture's grid reduced to at most 512 pixels along its long edge.

    Raises:
        NoBreast: nothing in the picture stands out from a dark background as one large compact region.
    """
    grey = _reduce(pixels)
    blurred = _blur(grey)
    sample, body = grey[_SPARSE], _body(grey, blurred)[_SPARSE]
    air = morphology.grow(body, 0.1) & ~morphology.grow(
        body, 0.03
    )  # a band that leaves out the body's own edge
    if not body.any() or not air.any():
        raise NoBreast("No breast was found: nothing stands out from a background.")
    breast = _outline(
        grey, blurred, air=float(np.median(sample[air])), body=float(np.median(sample[body]))
    )
    _require_shape(breast)
    _require_contrast(grey, blurred, breast)
    _require_dark_air(grey, breast)
    return breast


def _reduce(pixels: Pixels) -> _Grey:
    """Square roots of the grey values, 0 for the darkest .. 255 for the brightest but the last 0.5 %."""
    long_edge = max(pixels.shape)
    scale = min(1.0, _LONG_EDGE / long_edge)
    rows, columns = (max(1, round(edge * scale)) for edge in pixels.shape)
    step = max(1, long_edge // (2 * _LONG_EDGE))  # of a large picture, every few pixels are enough
    sample = np.ascontiguousarray(pixels[step // 2 :: step, step // 2 :: step])
    small = cv2.resize(sample, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    black, white = small.min(), np.percentile(small[_SPARSE], 99.5)
    unit = np.clip((small - black) / max(white - black, 1), 0, 1)
    grey: _Grey = np.rint(255 * np.sqrt(unit)).astype(np.uint8)
    return grey


def _body(grey: _Grey, blurred: _Grey) -> Mask:
    """The largest region above Otsu's threshold, or above that of the darker rest if this is not all air."""
    threshold = _otsu(grey)
    body = _region(blurred > threshold)
    sample = grey[_SPARSE]
    rest = sample[sample <= threshold]
    lower = _otsu(rest)
    dim, dark = rest[rest > lower], rest[rest <= lower]
    if not body[_SPARSE].any() or not dim.size:
        return body
    level = np.median(sample[body[_SPARSE]])
    if level >= 255 * _GLARE:
        around_implant = (
            dim.mean() - dark.mean() >= 255 * _HARDLY_BRIGHT and dim.size >= _MIN_AREA * sample.size
        )
        return _region(blurred > lower) if around_implant else body
    fat = dim.mean() >= _FAT * level and dim.size >= _MUCH_FAT * sample.size
    return _region(blurred > lower) if fat else body


def _outline(grey: _Grey, blurred: _Grey, *, air: float, body: float) -> Mask:
    """The largest region above the lowest threshold that floods no fog, without labels."""
    for share in _PERIPHERY:
        bright = blurred > air + share * (body - air)
        outline = _region(bright)
        kept = outline & (blurred > air + (share + _STEP) * (body - air))
        if np.count_nonzero(kept) > _KEPT * np.count_nonzero(outline):
            break
    labels = _labels(grey, bright)
    return _region(bright & ~labels) if labels.any() else outline


def _region(bright: Mask) -> Mask:
    return morphology.largest(morphology.opened(bright, _NECK))


def _labels(grey: _Grey, bright: Mask) -> Mask:
    """What glares, is neither as thin as skin nor as thick as an implant, and has sharp edges, some of them to air."""
    coarse, air = grey[_SPARSE], ~bright[_SPARSE]
    glare = morphology.opened(
        morphology.closed(coarse >= 255 * _GLARE, _LETTERING), _LABEL[0]
    ).astype(np.uint8)
    thickness = 2 * cv2.distanceTransform(glare, cv2.DIST_L2, 3) / max(coarse.shape)
    count, components = cv2.connectedComponents(glare)
    labels = np.zeros_like(air)
    for index in range(1, count):
        component = components == index
        edge = morphology.grow(component, 0.01)
        around = morphology.grow(component, 0.03) & ~edge
        shadow = coarse[around] < 255 * _SHADOW
        if (
            thickness[component].max() <= _LABEL[1]
            and component.sum() <= _MAX_LABEL * (~air).sum()
            and shadow.sum() >= _MIN_SHADOW * around.sum()
            and air[around].sum() >= _MIN_AIR * around.sum()
        ):
            labels |= morphology.grow(component, 0.015)
    return cv2.resize(
        labels.astype(np.uint8), bright.shape[::-1], interpolation=cv2.INTER_NEAREST
    ).astype(bool)


def _blur(grey: _Grey) -> _Grey:
    return np.asarray(cv2.GaussianBlur(grey, (5, 5), 0), np.uint8)


def _otsu(grey: _Grey) -> float:
    return cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]


def _require_shape(breast: Mask) -> None:
    if not _MIN_AREA <= breast.mean() <= _MAX_AREA:
        raise NoBreast(
            "No breast was found: the only bright region is too small, or fills the whole image."
        )
    rows, columns = np.flatnonzero(breast.any(axis=1)), np.flatnonzero(breast.any(axis=0))
    if breast.sum() < _MIN_FILL * (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1):
        raise NoBreast("No breast was found: the brightest region has not the shape of one.")


def _require_contrast(grey: _Grey, blurred: _Grey, breast: Mask) -> None:
    noise = np.sqrt(np.mean(np.square(cv2.absdiff(grey, blurred)[_SPARSE], dtype=np.float32)))
    if grey[breast].mean() - grey[~breast].mean() < _MIN_CONTRAST * noise:
        raise NoBreast("No breast was found: the image is mostly noise.")


def _require_dark_air(grey: _Grey, breast: Mask) -> None:
    """NoBreast if it is smoother than what is around it: then it is the white air of a negative."""
    light = np.square(grey, dtype=np.float32)  # the root would lift the texture of what is dark
    texture = cv2.absdiff(light, cv2.GaussianBlur(light, (5, 5), 0))[_SPARSE]
    inside, outside = (
        ~morphology.grow(~breast[_SPARSE], 0.015),
        ~morphology.grow(breast[_SPARSE], 0.015),
    )
    if not inside.any() or not outside.any():
        return
    if np.percentile(texture[inside], _TEXTURED) < np.percentile(texture[outside], _TEXTURED):
        raise NoBreast(
            "No breast was found: black and white are exchanged. Send the image with a black background."
        )
