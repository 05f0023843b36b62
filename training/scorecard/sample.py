"""Sample of images for a scorecard, with both classes and a maximum size that bounds the time."""

from collections.abc import Iterable, Iterator
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
    """Images of a part. They are read from the cache on access, because all may not fit in memory.

    `indices`: positions of the images in their part.
    """

    part: Part
    indices: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def images(self) -> Iterator[Floats]:
        """Read the images [height, width, 1], one after the other."""
        return (self.image(index) for index in range(len(self)))

    def image(self, index: int) -> Floats:
        """Read one of the images, [height, width, 1]."""
        image: Floats = self.part.images(self.indices[index : index + 1])[0]
        return image

    def mask(self, index: int) -> Mask:
        """Read the breast mask of one of the images, [height, width]."""
        return self.part.mask(int(self.indices[index]))

    @property
    def labels(self) -> NDArray[np.int32]:
        """Labels, 1 for cancer and 0 for no cancer, int32 [N]."""
        return np.asarray(self.part.labels[self.indices])

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
        return Sample(self.part, self.indices[chosen])

    def first(self, limit: int) -> "Sample":
        """Return the first `limit` images, or all if there are fewer."""
        return Sample(self.part, self.indices[:limit])

    def subject(self, index: int) -> Subject:
        """Return one of the images as the subject of an explanation."""
        to_source = self.part.to_source(int(self.indices[index]))
        return Subject(self.image(index), self.mask(index), to_source)


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

    return Sample(part, rng.permutation(np.array([*positive, *negative], np.int64)))


def _take(breasts: list[list[int]], limit: int, rng: np.random.Generator) -> list[int]:
    """Return the images of random breasts, as long as there are at most `limit` images."""
    taken: list[int] = []
    for number in rng.permutation(len(breasts)):
        if len(taken) + len(breasts[number]) <= limit:
            taken += breasts[number]
    return taken


def gradients(
    model: Model, layer: str, images: Iterable[Floats], class_index: int
) -> Iterator[LayerGradients]:
    """Yield a layer's maps, gradients and the scores of the images, one batch at a time."""
    for batch in in_batches(model.manifest, images):
        yield model.layer_gradients(layer, batch, np.full(len(batch), class_index, np.int32))
