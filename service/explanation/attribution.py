"""Attributions to the input itself: what the margin gains or loses by pixels, whatever the layers in between.

Guided backpropagation and deconvolution are left out on purpose: their maps hardly change when the network's weights
are made random (Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018), so they show the image, not the
model.
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
"""Images [N, height, width, 1] -> the margin's gradients [N, height, width, 1]."""

BATCH = 16
STEPS = 128
SAMPLES = 16
NOISE = 0.1
WINDOWS = 8
BLUR = 1 / 20
_SEED = 0


def blurred(image: Floats, mask: Mask) -> Floats:
    """The image [height, width, 1] without its detail: a Gaussian blur over the breast alone, air left as it is.

    The standard deviation is a twentieth of the longer edge. Unlike a black image it stays a breast to the network, so
    what is compared is tissue with and without its lesions, not a breast with an empty image.
    """
    sigma = BLUR * max(mask.shape)
    inside = mask.astype(np.float32)
    weight = cv2.GaussianBlur(inside, (0, 0), sigma)
    spread = cv2.GaussianBlur(image[..., 0] * inside, (0, 0), sigma)
    return np.where(mask, spread / np.maximum(weight, np.float32(1e-6)), image[..., 0])[
        ..., None
    ].astype(np.float32)


def integrated_gradients(image: Floats, baseline: Floats, gradients: Gradients) -> Floats:
    """(x - b) * the mean of the gradient at b + t (x - b), t = 1/256, 3/256 .. 255/256: signed, [height, width].

    The sum over pixels is what the margin differs by between image and baseline, but for the error of the 128 steps.
    Sundararajan et al., "Axiomatic Attribution for Deep Networks", ICML 2017.
    """
    difference = image - baseline
    places = (np.arange(STEPS, dtype=np.float32) + np.float32(0.5)) / STEPS
    path = (baseline + place * difference for place in places)
    total = sum(gradients(batch).sum(axis=0, dtype=np.float64) for batch in batches(path))
    return np.asarray((difference * total / STEPS)[..., 0], dtype=np.float32)


def smooth_grad(image: Floats, mask: Mask, gradients: Gradients) -> Floats:
    """The absolute value [height, width] of the gradient's mean over 16 copies with noise of 0.1 in the breast.

    Smilkov et al., "SmoothGrad", arXiv 1706.03825. It says where the margin is sensitive, not in which direction.
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
    """What the margin loses when a window is replaced by the baseline, and where the windows lie.

    Windows have an eighth of the longer edge and overlap by half; one without breast in it has 0. After Zeiler and
    Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, with a blurred patch for the grey one.
    """
    size = max(2, max(mask.shape) // WINDOWS)
    stride = size // 2
    rows, columns = ((edge - size) // stride + 1 for edge in mask.shape)
    field = ReceptiveField(size, size, stride, stride, (size - 1) / 2, (size - 1) / 2)
    losses = np.zeros((rows, columns), np.float32)
    corners = [(i, j) for i, j in np.ndindex(rows, columns) if mask[_window(i, j, size)].any()]
    whole = float(margins(image[None])[0])
    occluded = (_replaced(image, baseline, _window(i, j, size)) for i, j in corners)
    remaining = [value for batch in batches(occluded) for value in margins(batch)]
    for corner, value in zip(corners, remaining, strict=True):
        losses[corner] = whole - value
    return losses, field


def batches(images: Iterable[Floats]) -> Iterator[Floats]:
    """The images [height, width, 1] in stacks of 16; no more of them are in memory at a time."""
    remaining = iter(images)
    while some := list(islice(remaining, BATCH)):
        yield np.stack(some)


def _replaced(image: Floats, baseline: Floats, window: tuple[slice, slice]) -> Floats:
    copy = image.copy()
    copy[window] = baseline[window]
    return copy


def _window(row: int, column: int, size: int) -> tuple[slice, slice]:
    top, left = row * (size // 2), column * (size // 2)
    return slice(top, top + size), slice(left, left + size)
