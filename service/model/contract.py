"""What every model can be asked, and what it may be given."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from service.model.manifest import Manifest
from service.model.scorecard import Scorecard
from service.records import Domain, Floats, LayerGradients, Scores

ClassIndices = NDArray[np.int32]


class Model(Protocol):
    """A classifier that explains itself; thread-safe.

    Arrays are float32 and batch first, images [N, height, width, 1] in [0, 1], classes int32 [N]. `digest` names the
    model: the SHA-256 of its manifest, which lists those of all its files. A wrong shape, type or class index is a
    mistake in the calling code and raises ValueError; a layer that is not there raises UnknownLayer.
    """

    @property
    def manifest(self) -> Manifest: ...  # noqa: D102 - described above

    @property
    def digest(self) -> str: ...  # noqa: D102 - described above

    @property
    def scorecard(self) -> Scorecard | None: ...  # noqa: D102 - what the model was tested for; None if it was not

    @property
    def domain(self) -> Domain | None: ...  # noqa: D102 - what its reference images look like to it; None without any

    def predict(self, images: Floats) -> Scores:
        """Probabilities and logits [N, classes], and features."""
        ...

    def activations(self, images: Floats) -> dict[str, Floats]:
        """The maps [N, h, w, filters] of every layer in the manifest, by name."""
        ...

    def layer_gradients(self, layer: str, images: Floats, classes: ClassIndices) -> LayerGradients:
        """A layer's maps and the gradients of each image's class margin to them."""
        ...

    def input_gradients(self, images: Floats, classes: ClassIndices) -> Floats:
        """The gradients [N, height, width, 1] of each image's class margin to its pixels."""
        ...


def check_images(images: Floats, manifest: Manifest) -> None:
    """Raises ValueError unless `images` is a batch the model takes."""
    expected = manifest.input_shape
    if (
        images.dtype != np.float32
        or images.ndim != 1 + len(expected)
        or images.shape[1:] != expected
        or not len(images)
    ):
        raise ValueError(
            f"images must be float32 [N, {', '.join(map(str, expected))}]; got {images.dtype} {images.shape}"
        )


def check_classes(classes: ClassIndices, images: Floats, manifest: Manifest) -> None:
    """Raises ValueError unless `classes` has one valid class index per image."""
    if classes.dtype != np.int32 or classes.shape != (len(images),):
        raise ValueError(
            f"classes must be int32 [{len(images)}]; got {classes.dtype} {classes.shape}"
        )
    if not all(0 <= index < len(manifest.classes) for index in classes):
        raise ValueError(
            f"class indices must lie in 0..{len(manifest.classes) - 1}; got {classes.tolist()}"
        )
