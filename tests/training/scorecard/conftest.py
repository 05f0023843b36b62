"""Part that is held in memory, and a sample of it."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from service.geometry import IDENTITY, Affine
from service.records import Floats, Mask
from training.data.cache import Part
from training.scorecard.sample import Sample

HEIGHT, WIDTH = 128, 96
IMAGES = 24


@dataclass(frozen=True, slots=True)
class MemoryPart(Part):
    """A part whose images were not moved or scaled by the fit."""

    def to_source(self, index: int) -> Affine:  # noqa: ARG002 - the same for all
        return IDENTITY


def half_breasts(rng: np.random.Generator) -> tuple[Floats, Mask, NDArray[np.int32]]:
    """Return grey half discs with texture, breast masks and labels.

    Every second image is positive and has a bright blob in the breast.
    """
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    breast = (x / 60) ** 2 + ((y - 64) / 56) ** 2 < 1
    labels = np.arange(IMAGES, dtype=np.int32) % 2

    images = np.where(breast, 0.4 + rng.normal(0, 0.02, (IMAGES, HEIGHT, WIDTH)), 0)
    for image, label in zip(images, labels, strict=True):
        row = rng.integers(40, 90)
        column = rng.integers(10, 35)
        image[row : row + 3, column : column + 3] += 0.5 * label

    return (
        images.clip(0, 1).astype(np.float32)[..., None],
        np.repeat(breast[None], IMAGES, axis=0),
        labels,
    )


@pytest.fixture
def sample() -> Sample:
    images, masks, labels = half_breasts(np.random.default_rng(8))
    return Sample(MemoryPart((), ()), np.arange(IMAGES), images, masks, labels)
