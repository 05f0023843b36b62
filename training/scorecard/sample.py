"""Sample of images for a scorecard, with both classes and a maximum size that bounds the time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.model import Model
from service.pipeline import class_explanation
from service.pipeline.class_explanation import Subject
from service.records import Floats, LayerGradients, Mask
from training.data.cache import Part

BATCH = 16
"""Images per call of the model."""

_SEED = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """Images [N, height, width, 1], breast masks [N, height, width] and labels [N].

    `indices`: positions of the images in their part.
    """

    part: Part
    indices: NDArray[np.int64]
    images: Floats
    masks: Mask
    labels: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.indices)

    def only(self, chosen: NDArray[np.bool_], limit: int | None = None) -> "Sample":
        """Return the chosen images, or the first `limit` of them."""
        kept = np.flatnonzero(chosen)[:limit]
        return Sample(
            self.part, self.indices[kept], self.images[kept], self.masks[kept], self.labels[kept]
        )

    def subject(self, index: int) -> Subject:
        """Return one of the images as the subject of an explanation."""
        return Subject(
            self.images[index], self.masks[index], self.part.to_source(int(self.indices[index]))
        )


def draw(part: Part, limit: int) -> Sample:
    """Draw up to `limit` images of the part, in a random but fixed order.

    Half of them are positive, or all positive images if there are fewer. Negative images fill up
    the sample.
    """
    rng = np.random.default_rng(_SEED)
    labels = part.labels
    classes = [rng.permutation(np.flatnonzero(labels == label)) for label in (1, 0)]
    half = min(len(classes[0]), limit // 2)
    indices = rng.permutation(np.concatenate([classes[0][:half], classes[1][: limit - half]]))

    masks = np.stack([part.mask(int(index)) for index in indices])
    return Sample(part, indices, part.images(indices), masks, labels[indices])


def in_batches(images: Floats) -> Iterator[Floats]:
    """Yield views of at most `BATCH` images each."""
    for start in range(0, len(images), BATCH):
        yield images[start : start + BATCH]


def gradients(
    model: Model, layer: str, images: Floats, class_index: int
) -> Iterator[LayerGradients]:
    """Yield a layer's maps, gradients and the scores of the images, one batch at a time."""
    for batch in in_batches(images):
        yield model.layer_gradients(layer, batch, np.full(len(batch), class_index, np.int32))


def margins(model: Model, images: Floats, class_index: int) -> NDArray[np.float64]:
    """Return the class margins [N] of the images, in logits."""
    return np.concatenate(
        [class_explanation.margins(model, batch, class_index) for batch in in_batches(images)]
    )
