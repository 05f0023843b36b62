"""Training batches, balanced by class and augmented.

They depend only on the seed and the epoch. An epoch that is repeated, after an interruption or in
another process, gets exactly the same pixels, with any number of threads.
"""

import math
from collections.abc import Generator
from contextlib import closing
from functools import partial

import numpy as np
from numpy.typing import NDArray

from service.records import Floats
from training.data.augment import Variation, draw_variation, vary
from training.data.cache import Part
from training.data.reading_ahead import filled_batches
from training.training_config import Augmentation, Training

Batch = tuple[Floats, NDArray[np.int32], Floats]
"""Images [N, height, width, 1] in [0, 1], labels [N] and weights [N] of their losses."""


def epoch_batches(
    part: Part, epoch: int, training: Training, augmentation: Augmentation, workers: int = 1
) -> Generator[Batch, None, None]:
    """Yield the batches of one epoch. `workers` threads prepare the next one ahead of its use.

    Raises:
        CacheError: if a shard is damaged.
    """
    rng = np.random.default_rng((training.seed, epoch))
    order = balanced_order(part.labels, rng, training.ratio)
    labels = part.labels[order]
    weights = class_weights(class_counts(part.labels, training.ratio))[labels]
    fills = (partial(_fill, part, index, draw_variation(augmentation, rng)) for index in order)
    _, height, width, _ = part.images(order[:1]).shape

    batches = filled_batches(fills, training.batch_size, (height, width), workers)
    with closing(batches):
        for number, images in enumerate(batches):
            batch = slice(number * training.batch_size, (number + 1) * training.batch_size)
            yield images, labels[batch], weights[batch]


def _fill(part: Part, index: int, variation: Variation, out: Floats) -> None:
    """Write the variation of an image into `out`, [height, width]."""
    vary(part.images([index])[0, ..., 0], variation, out)


def steps_per_epoch(labels: NDArray[np.int32], training: Training) -> int:
    """Return the number of batches in an epoch."""
    return math.ceil(int(class_counts(labels, training.ratio).sum()) / training.batch_size)


def class_counts(labels: NDArray[np.int32], ratio: float) -> NDArray[np.int64]:
    """Return how many images of each class an epoch has.

    They are all images of the rarer class, and `ratio` times as many of the other, or all of it.
    """
    available = np.bincount(labels, minlength=2)
    return np.asarray(np.minimum(available, round(ratio * available.min())))


def class_weights(counts: NDArray[np.int64]) -> Floats:
    """Return the weight of an image of each class, for these numbers of images.

    Both classes weigh the same together, and the mean over all images is 1.
    """
    return np.asarray(counts.sum() / (2 * counts), np.float32)


def balanced_order(
    labels: NDArray[np.int32], rng: np.random.Generator, ratio: float = 1.0
) -> NDArray[np.int64]:
    """Return the indices of one epoch's images in random order, see `class_counts`.

    Those of the commoner class are drawn without replacement.
    """
    counts = class_counts(labels, ratio)
    return rng.permutation(
        np.concatenate(
            [
                rng.choice(np.flatnonzero(labels == label), counts[label], replace=False)
                for label in (0, 1)
            ]
        )
    )
