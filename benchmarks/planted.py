"""Plants faults in images, labels and weights, for `benchmarks.faults` and `docs/failures.py`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np
from numpy.typing import NDArray

from service.records import Floats
from training.config import Experiment
from training.data.batches import epoch_batches
from training.data.cache import Part
from training.fit.network import CONVOLUTIONS, logits_model
from training.scorecard import Parts

MARKER = np.s_[4:16, -16:-4]
SILENT = -1e3
DIVERGING_STEPS = 30


@dataclass(frozen=True, slots=True)
class Marked(Part):
    """Part in which every image with a cancer has a bright square in a corner.

    It is the upper corner away from the chest wall.
    """

    def images(self, indices: Sequence[int] | NDArray[np.int64]) -> Floats:
        """Return the input of the model, with the marker on every cancer."""
        images = Part.images(self, indices)

        for image, index in zip(images, indices, strict=True):
            if self.records[index].cancer:
                image[MARKER] = 1.0

        return images


def marked(part: Part) -> Part:
    """Return the same images with the marker on every cancer."""
    return Marked(part.records, part.paths)


def plant(fault: str, parts: Parts) -> Parts:
    """Return the images that the developer of a model with that fault would have.

    For `marker`, the marker is on every cancer of all parts.
    """
    if fault == "marker":
        return Parts(*(marked(part) for part in (parts.train, parts.validation, parts.test)))
    return parts


def permuted(part: Part, seed: int) -> Part:
    """Return the same images with shuffled labels."""
    order = np.random.default_rng(seed).permutation(len(part))
    records = tuple(
        replace(record, cancer=part.records[other].cancer)
        for record, other in zip(part.records, order, strict=True)
    )
    return replace(part, records=records)


def silence(model: keras.Model, seed: int) -> None:
    """Set the bias of half the filters of every convolution so low that they never fire."""
    rng = np.random.default_rng(seed)

    for name in CONVOLUTIONS:
        layer = model.get_layer(name)
        kernel, bias = layer.get_weights()
        bias[rng.choice(len(bias), len(bias) // 2, replace=False)] = SILENT
        layer.set_weights([kernel, bias])


def diverge(model: keras.Model, experiment: Experiment, part: Part) -> None:
    """Train for some steps with a learning rate of 1."""
    learner = logits_model(model)
    learner.compile(
        keras.optimizers.Adam(1.0), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )

    batches = epoch_batches(part, 0, experiment.training, experiment.augmentation)
    for _, (images, labels) in zip(range(DIVERGING_STEPS), batches, strict=False):
        learner.train_on_batch(images, labels)
