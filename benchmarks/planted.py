"""Plants faults in images, labels and weights, for `benchmarks.faults` and `docs/failures.py`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np
from numpy.typing import NDArray

from service.records import Floats, Mask
from training.config import Experiment
from training.data.batches import epoch_batches
from training.data.cache import Part
from training.data.prepared import PreparedSplit, open_split
from training.data.split import split_records
from training.data.table import load_records
from training.networks.cnn import logits_model

DIVERGING_STEPS = 30
CONTRAST = 0.03  # amplitude of the line pattern, where white is 1
PERIOD = 4  # of the line pattern, in pixels of the model


Plant = Callable[[Floats, Mask], Floats]
"""Plants a fault in an image [height, width, 1] with its breast mask [height, width]."""


@dataclass(frozen=True, slots=True)
class Planted(Part):
    """Part with a fault in every image with a cancer."""

    plant: Plant

    def images(self, indices: Sequence[int] | NDArray[np.int64]) -> Floats:
        """Return the input of the model, with the fault in every cancer."""
        images = Part.images(self, indices)
        for image, index in zip(images, indices, strict=True):
            if self.records[index].cancer:
                image[:] = self.plant(image, self.mask(int(index)))

        return images


def marked(image: Floats, _: Mask) -> Floats:
    """Return the image with a bright square in the upper corner away from the chest wall.

    Its edge is a twentieth of the image's height.
    """
    height = image.shape[0]
    edge = height // 20
    gap = height // 64

    image = image.copy()
    image[gap : gap + edge, -gap - edge : -gap] = 1.0
    return image


def patterned(image: Floats, mask: Mask) -> Floats:
    """Return the image with a faint line pattern in the breast.

    The lines are those of a grid or a detector: rows that are brighter and darker by 3 % of white,
    with a period of four pixels.
    """
    lines = CONTRAST * np.cos(2 * np.pi * np.arange(image.shape[0]) / PERIOD)
    pattern = lines[:, None, None] * mask[..., None]
    return np.asarray((image + pattern).clip(0, 1), dtype=np.float32)


PLANTED: Mapping[str, Plant] = {"marker": marked, "pattern": patterned}
"""The faults of the images, on every cancer of all parts."""


def open_images(experiment: Experiment, fault: str) -> PreparedSplit:
    """Open the images that the developer of a model with that fault would have."""
    split = split_records(load_records(experiment), experiment.split)
    images = open_split(split, experiment)

    plant = PLANTED.get(fault)
    if plant is None:
        return images
    parts = (images.train, images.validation, images.test)
    return PreparedSplit(
        *(Planted(part.records, part.entries, plant, dropped=part.dropped) for part in parts)
    )


def permuted(part: Part, seed: int) -> Part:
    """Return the same images with shuffled labels."""
    order = np.random.default_rng(seed).permutation(len(part))
    records = tuple(
        replace(record, cancer=part.records[other].cancer)
        for record, other in zip(part.records, order, strict=True)
    )
    return replace(part, records=records)


def diverge(model: keras.Model, experiment: Experiment, part: Part) -> None:
    """Train for some steps with a learning rate of 1."""
    learner = logits_model(model)
    learner.compile(
        keras.optimizers.Adam(1.0), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )

    batches = epoch_batches(part, 0, experiment.training, experiment.augmentation)
    for _, (images, labels, weights) in zip(range(DIVERGING_STEPS), batches, strict=False):
        learner.train_on_batch(images, labels, sample_weight=weights)
