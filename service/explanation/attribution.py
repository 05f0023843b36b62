"""Methods that explain the input itself: how much each pixel adds to the class margin.

Guided backpropagation and deconvolution are left out on purpose. Their maps hardly change when the
network's weights are randomised (Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018),
so they show the image, not the model.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from service.records import Floats, Mask, ReceptiveField

Margins = Callable[[Floats], NDArray[np.float64]]
"""Images [N, height, width, 1] -> the class margin [N]."""
Gradients = Callable[[Floats], Floats]
"""Images [N, height, width, 1] -> the gradients of the margin [N, height, width, 1]."""

BATCH = 16  # images per call of the model
STEPS = 128  # of the path from baseline to image, for integrated gradients
SAMPLES = 16  # noisy copies for SmoothGrad
NOISE = 0.1  # standard deviation in these copies, where white is 1
WINDOWS = 8  # occlusion windows along the longer edge, if they did not overlap
BLUR = 1 / 20  # standard deviation of the baseline's blur, as a share of the longer edge
_SEED = 0


def blurred(image: Floats, mask: Mask) -> Floats:
    """Return the image [height, width, 1] without detail: the baseline of the methods below.

    A Gaussian blur of the breast alone, with air unchanged. Its standard deviation is a twentieth
    of the longer edge. The network still sees a breast, unlike with a black image. The comparison
    is therefore between tissue with and without lesions, not between a breast and an empty image.
    """
    sigma = BLUR * max(mask.shape)
    inside = mask.astype(np.float32)

    # Dividing by the blurred mask keeps air from leaking into the breast.
    weight = cv2.GaussianBlur(inside, (0, 0), sigma)
    spread = cv2.GaussianBlur(image[..., 0] * inside, (0, 0), sigma)
    smooth = spread / np.maximum(weight, np.float32(1e-6))

    return np.where(mask, smooth, image[..., 0])[..., None].astype(np.float32)


def integrated_gradients(image: Floats, baseline: Floats, gradients: Gradients) -> Floats:
    """Return integrated gradients [height, width], signed.

    With image x and baseline b: (x - b) * the mean gradient at b + t (x - b), for t = 1/256, 3/256
    .. 255/256. The sum over pixels is the difference of the margin between image and baseline, up
    to the error of the 128 steps. Sundararajan et al., "Axiomatic Attribution for Deep Networks",
    ICML 2017.
    """
    difference = image - baseline
    positions = (np.arange(STEPS, dtype=np.float32) + np.float32(0.5)) / STEPS
    path = (baseline + position * difference for position in positions)

    total = sum(gradients(batch).sum(axis=0, dtype=np.float64) for batch in batches(path))
    return np.asarray((difference * total / STEPS)[..., 0], dtype=np.float32)


def smooth_grad(image: Floats, mask: Mask, gradients: Gradients) -> Floats:
    """Return the absolute value [height, width] of the mean gradient over 16 noisy copies.

    The noise has a standard deviation of 0.1 and is added in the breast only. The map shows where
    the margin is sensitive, not in which direction. Smilkov et al., "SmoothGrad", arXiv 1706.03825.
    """
    rng = np.random.default_rng(_SEED)
    noisy = (
        (image + rng.normal(0, NOISE, image.shape) * mask[..., None]).astype(np.float32)
        for _ in range(SAMPLES)
    )

    total = sum(gradients(batch).sum(axis=0, dtype=np.float64) for batch in batches(noisy))
    return np.asarray(np.abs(total[..., 0] / SAMPLES), dtype=np.float32)


def occlusion(
    image: Floats, baseline: Floats, mask: Mask, margins: Margins
) -> tuple[Floats, ReceptiveField]:
    """Return the margin's loss when a window is replaced by the baseline, and the windows' field.

    A window's edge is an eighth of the longer edge of the image. Windows overlap by half. A window
    without any breast has loss 0 and is not run. After Zeiler and Fergus, "Visualizing and
    Understanding Convolutional Networks", ECCV 2014, with a blurred patch in place of a grey one.
    """
    # Lay out the windows.
    size = max(2, max(mask.shape) // WINDOWS)
    stride = size // 2
    rows, columns = ((edge - size) // stride + 1 for edge in mask.shape)
    centre = (size - 1) / 2
    field = ReceptiveField(size, size, stride, stride, centre, centre)
    cells = [(i, j) for i, j in np.ndindex(rows, columns) if mask[_window(i, j, size)].any()]

    # Run the image as it is, then with each window replaced.
    whole = float(margins(image[None])[0])
    occluded = (_replaced(image, baseline, _window(i, j, size)) for i, j in cells)
    remaining = [value for batch in batches(occluded) for value in margins(batch)]

    losses = np.zeros((rows, columns), np.float32)
    for cell, value in zip(cells, remaining, strict=True):
        losses[cell] = whole - value
    return losses, field


def batches(images: Iterable[Floats]) -> Iterator[Floats]:
    """Stack images [height, width, 1] in batches of at most 16, one batch in memory at a time."""
    remaining = iter(images)
    while batch := list(islice(remaining, BATCH)):
        yield np.stack(batch)


def _replaced(image: Floats, baseline: Floats, window: tuple[slice, slice]) -> Floats:
    """Return a copy of the image with that window taken from the baseline."""
    copy = image.copy()
    copy[window] = baseline[window]
    return copy


def _window(row: int, column: int, size: int) -> tuple[slice, slice]:
    """Return the pixels of the window at a cell of the occlusion map."""
    top = row * (size // 2)
    left = column * (size // 2)
    return slice(top, top + size), slice(left, left + size)
