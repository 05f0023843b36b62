"""Methods that explain the input itself: how much each pixel adds to the class margin.

Guided backpropagation and deconvolution are left out on purpose. Their maps hardly change when the
network's weights are randomised (Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018),
so they show the image, not the model.
"""

from collections.abc import Callable, Iterable
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from service.records import Floats, Mask, ReceptiveField

Margins = Callable[[Iterable[Floats]], NDArray[np.float64]]
"""N images [height, width, 1] -> the class margin [N]."""
Gradients = Callable[[Iterable[Floats]], Iterable[Floats]]
"""Images [height, width, 1] -> the gradient of the margin [height, width, 1] of each."""

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

    total = _sum(gradients(path))
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

    total = _sum(gradients(noisy))
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
    size = _window_edge(mask.shape)
    stride = size // 2
    rows, columns = _grid(mask.shape)
    centre = (size - 1) / 2
    field = ReceptiveField(size, size, stride, stride, centre, centre)
    cells = [(i, j) for i, j in np.ndindex(rows, columns) if mask[_window(i, j, size)].any()]

    # Run the image as it is, then with each window replaced.
    occluded = (_replaced(image, baseline, _window(i, j, size)) for i, j in cells)
    whole, *remaining = margins(chain([image], occluded))

    losses = np.zeros((rows, columns), np.float32)
    for cell, value in zip(cells, remaining, strict=True):
        losses[cell] = whole - value
    return losses, field


def occlusion_windows(height: int, width: int) -> int:
    """Return the number of windows on a grid of that size, with and without breast."""
    rows, columns = _grid((height, width))
    return rows * columns


def _sum(gradients: Iterable[Floats]) -> NDArray[np.float64]:
    """Return the sum of gradients [height, width, 1], in double precision."""
    total: NDArray[np.float64] = np.zeros(1)
    for gradient in gradients:
        total = total + gradient
    return total


def _window_edge(shape: tuple[int, ...]) -> int:
    """Return the edge of a window on a grid of that shape."""
    return max(2, max(shape) // WINDOWS)


def _grid(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the rows and columns of windows on a grid of that shape."""
    size = _window_edge(shape)
    rows, columns = ((edge - size) // (size // 2) + 1 for edge in shape)
    return rows, columns


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
