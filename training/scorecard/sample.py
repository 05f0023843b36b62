"""The images a scorecard looks at, drawn from parts so that both classes are there and time is bounded."""

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
_SEED = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """Images [N, height, width, 1], their breasts [N, height, width], labels, and where they are in their part."""

    part: Part
    indices: NDArray[np.int64]
    images: Floats
    masks: Mask
    labels: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.indices)

    def only(self, chosen: NDArray[np.bool_], most: int | None = None) -> "Sample":
        """The first of those that are chosen, `most` of them at most."""
        kept = np.flatnonzero(chosen)[:most]
        return Sample(
            self.part, self.indices[kept], self.images[kept], self.masks[kept], self.labels[kept]
        )

    def subject(self, index: int) -> Subject:
        """One of the images, to be explained, with the way to its source."""
        return Subject(
            self.images[index], self.masks[index], self.part.to_source(int(self.indices[index]))
        )


def draw(part: Part, most: int) -> Sample:
    """Up to `most` images of the part, as many of either class as there are, in a random but fixed order."""
    rng = np.random.default_rng(_SEED)
    labels = part.labels
    classes = [rng.permutation(np.flatnonzero(labels == label)) for label in (1, 0)]
    half = min(len(classes[0]), most // 2)
    indices = rng.permutation(np.concatenate([classes[0][:half], classes[1][: most - half]]))
    masks = np.stack([part.mask(int(index)) for index in indices])
    return Sample(part, indices, part.images(indices), masks, labels[indices])


def in_batches(images: Floats) -> Iterator[Floats]:
    """Views of the images, as many at a time as the model is given."""
    for start in range(0, len(images), BATCH):
        yield images[start : start + BATCH]


def gradients(
    model: Model, layer: str, images: Floats, class_index: int
) -> Iterator[LayerGradients]:
    """Maps, gradients and scores of the images, a batch at a time."""
    for batch in in_batches(images):
        yield model.layer_gradients(layer, batch, np.full(len(batch), class_index, np.int32))


def margins(model: Model, images: Floats, class_index: int) -> NDArray[np.float64]:
    """The class margins [N] of the images."""
    return np.concatenate(
        [class_explanation.margins(model, batch, class_index) for batch in in_batches(images)]
    )
