"""Part whose images lie in memory, and samples of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.geometry import IDENTITY, Affine
from service.records import Floats, Mask
from training.data.cache import Part
from training.scorecard.sample import Sample


@dataclass(frozen=True, slots=True)
class ArrayPart(Part):
    """A part whose images lie in memory, and were not moved or scaled by the fit."""

    pixels: Floats
    masks: Mask

    def images(self, indices: Sequence[int] | NDArray[np.int64]) -> Floats:
        return np.asarray(self.pixels[np.asarray(indices)])

    def mask(self, index: int) -> Mask:
        mask: Mask = self.masks[index]
        return mask

    def to_source(self, index: int) -> Affine:  # noqa: ARG002 - the same for all
        return IDENTITY


def pixels(sample: Sample) -> Floats:
    """Return the images of a sample, [N, height, width, 1]."""
    return np.stack(list(sample.images))


def masks(sample: Sample) -> Mask:
    """Return the breast masks of a sample, [N, height, width]."""
    return np.stack([sample.mask(index) for index in range(len(sample))])


def with_pixels(sample: Sample, images: Floats, breasts: Mask | None = None) -> Sample:
    """Return a sample of all images of a part, with other pixels and maybe other breast masks."""
    records = tuple(sample.part.records[index] for index in sample.indices)
    shown = masks(sample) if breasts is None else breasts
    return Sample(ArrayPart(records, (), images, shown), np.arange(len(records)))
