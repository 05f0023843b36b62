"""Passes of the model: how many an explanation takes, and batches of images that fit in memory.

A pass is that of one image, forward or backward.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from service import explanation
from service.explanation import METHODS
from service.explanation.attribution import SAMPLES, STEPS
from service.explanation.perturbation import CHANGED, COPIES
from service.model import Manifest
from service.records import Floats, Method

WITH_GRADIENTS = 2
"""Passes of an image for its maps and their gradients: forward and backward."""

_SCORE = 1


def in_batches(manifest: Manifest, images: Iterable[Floats]) -> Iterator[Floats]:
    """Stack images [height, width, 1] in batches for the model, one batch in memory at a time."""
    remaining = iter(images)
    while batch := list(islice(remaining, manifest.images_per_call)):
        yield np.stack(batch)


def count_passes(manifest: Manifest, method: Method, *, full: bool) -> int:
    """Return the passes of an explanation with that method, without or with full diagnostics.

    Of the windows for occlusion, those without breast are not run. Half of them are counted.
    """
    once = _passes_of_method(manifest, method)
    return once * (1 + COPIES) + CHANGED if full else once


def _passes_of_method(manifest: Manifest, method: Method) -> int:
    """Return the passes of one map."""
    if method in METHODS:
        return WITH_GRADIENTS

    match method:
        case Method.SMOOTH_GRAD:
            passes = SAMPLES * WITH_GRADIENTS
        case Method.OCCLUSION:
            height, width, _ = manifest.input_shape
            passes = 1 + explanation.occlusion_windows(height, width) // 2
        case _:
            # The sum is compared with the margins of image and baseline.
            passes = STEPS * WITH_GRADIENTS + 2

    return passes + _SCORE
