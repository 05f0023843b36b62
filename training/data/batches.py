"""Training batches, balanced by class and lightly augmented.

They depend only on the seed and the epoch. An epoch that is repeated, after an interruption or in
another process, gets exactly the same pixels.
"""

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from service.records import Floats
from training.data.cache import Part
from training.training_config import Augmentation, Training


def epoch_batches(
    part: Part, epoch: int, training: Training, augmentation: Augmentation
) -> Iterator[tuple[Floats, NDArray[np.int32]]]:
    """Yield the batches of one epoch: images [N, height, width, 1] and labels [N]."""
    rng = np.random.default_rng((training.seed, epoch))
    order = balanced_order(part.labels, rng)

    for start in range(0, len(order), training.batch_size):
        indices = order[start : start + training.batch_size]
        images = np.stack([augment(image, augmentation, rng) for image in part.images(indices)])
        yield images, part.labels[indices]


def steps_per_epoch(labels: NDArray[np.int32], batch_size: int) -> int:
    """Return the number of batches in an epoch."""
    return math.ceil(2 * int(np.bincount(labels, minlength=2).min()) / batch_size)


def balanced_order(labels: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the indices of one epoch's images in random order.

    They are all images of the rarer class, and an equal number of the other class, drawn without
    replacement.
    """
    classes = [np.flatnonzero(labels == label) for label in (0, 1)]
    smallest = min(len(members) for members in classes)

    return rng.permutation(
        np.concatenate([rng.choice(members, smallest, replace=False) for members in classes])
    )


def augment(image: Floats, augmentation: Augmentation, rng: np.random.Generator) -> Floats:
    """Return a random variation of an image [height, width, 1].

    Black stays black, and the chest wall stays on the left. No step is rounded to whole pixels.
    """
    height, width, _ = image.shape

    # The order of these draws decides the pixels of every epoch.
    flipped = augmentation.flip and rng.random() < 0.5  # noqa: PLR2004 - in half of the draws
    zoom = 1 + augmentation.zoom * rng.uniform(-1, 1)
    shift_x, shift_y = augmentation.shift * rng.uniform(-1, 1, size=2) * (width, height)
    top, bottom, right = augmentation.crop * rng.uniform(-1, 1, size=3)
    gain, gamma = 1 + np.array((augmentation.gain, augmentation.gamma)) * rng.uniform(-1, 1, size=2)

    # A box with other edges is placed on the grid in another size, and its middle is elsewhere.
    zoom *= min(1 / (1 + top + bottom), 1 / (1 + right))
    shift_y += zoom * (top - bottom) / 2 * height

    # Zoom about the middle of the chest wall, which is at x = 0.
    matrix = np.array([[zoom, 0, shift_x], [0, zoom, shift_y + (1 - zoom) * (height - 1) / 2]])
    moved = cv2.warpAffine(
        image[::-1, :, 0] if flipped else image[..., 0],
        matrix,
        (width, height),
        flags=cv2.INTER_LINEAR,
    )

    varied: Floats = np.clip(gain * moved**gamma, 0, 1, dtype=np.float32)[..., None]
    return varied
