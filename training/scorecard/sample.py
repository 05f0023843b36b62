"""Sample of images for a scorecard, with both classes and a maximum size that bounds the time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.model import Model
from service.pipeline.class_explanation import Subject
from service.pipeline.passes import in_batches
from service.records import Floats, Laterality, LayerGradients, Mask
from training.data.cache import Part

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

    @property
    def patients(self) -> list[str]:
        """The patient of each image."""
        return [self.part.records[index].patient_id for index in self.indices]

    @property
    def breasts(self) -> list[tuple[str, str, Laterality]]:
        """The breast of each image."""
        return [self.part.records[index].breast for index in self.indices]

    @property
    def marked(self) -> NDArray[np.bool_]:
        """Whether the lesion of each image is known."""
        records = self.part.records
        return np.array(
            [records[index].lesion_mask is not None for index in self.indices], np.bool_
        )

    def only(self, chosen: NDArray[np.bool_]) -> "Sample":
        """Return the chosen images."""
        return self._at(np.flatnonzero(chosen))

    def first(self, limit: int) -> "Sample":
        """Return the first `limit` images, or all if there are fewer."""
        return self._at(np.arange(min(limit, len(self))))

    def _at(self, kept: NDArray[np.int64]) -> "Sample":
        return Sample(
            self.part, self.indices[kept], self.images[kept], self.masks[kept], self.labels[kept]
        )

    def subject(self, index: int) -> Subject:
        """Return one of the images as the subject of an explanation."""
        return Subject(
            self.images[index], self.masks[index], self.part.to_source(int(self.indices[index]))
        )


def draw(part: Part, limit: int) -> Sample:
    """Draw up to `limit` images of the part, as whole breasts, in a random but fixed order.

    Half of the images are of breasts with cancer, or all such images if there are fewer. Those of
    other breasts fill up the sample.
    """
    rng = np.random.default_rng(_SEED)
    breasts: dict[tuple[str, str, str], list[int]] = {}
    for index, record in enumerate(part.records):
        breasts.setdefault(record.breast, []).append(index)

    with_cancer = [images for images in breasts.values() if part.labels[images].any()]
    without = [images for images in breasts.values() if not part.labels[images].any()]
    positive = _take(with_cancer, limit // 2, rng)
    negative = _take(without, limit - len(positive), rng)

    indices = rng.permutation(np.array([*positive, *negative], np.int64))
    masks = np.stack([part.mask(int(index)) for index in indices])
    return Sample(part, indices, part.images(indices), masks, part.labels[indices])


def _take(breasts: list[list[int]], limit: int, rng: np.random.Generator) -> list[int]:
    """Return the images of random breasts, as long as there are at most `limit` images."""
    taken: list[int] = []
    for number in rng.permutation(len(breasts)):
        if len(taken) + len(breasts[number]) <= limit:
            taken += breasts[number]
    return taken


def gradients(
    model: Model, layer: str, images: Floats, class_index: int
) -> Iterator[LayerGradients]:
    """Yield a layer's maps, gradients and the scores of the images, one batch at a time."""
    for batch in in_batches(model.manifest, images):
        yield model.layer_gradients(layer, batch, np.full(len(batch), class_index, np.int32))
