"""The interface of every model, and the checks of its inputs."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from service.model.curves import Curves
from service.model.manifest import Manifest
from service.model.scorecard import Scorecard
from service.records import Domain, Floats, LayerGradients, Scores

ClassIndices = NDArray[np.int32]


class Model(Protocol):
    """A classifier with the maps and gradients that explanations need. It is thread-safe.

    Arrays are float32 and batch first. `images`: [N, height, width, 1] in [0, 1]. `classes`: int32
    [N], the class of each image whose margin is differentiated. `digest` identifies the model: it
    is the SHA-256 of the manifest, which lists the SHA-256 of all other files. `scorecard`: the
    results of its tests, or None if it was not tested. `curves`: its ROC curves and calibration, or
    None if they were not measured. `domain`: the distribution of its reference images, or None if
    it has none.

    Probabilities are softmax(logits / temperature + offset at the positive class), with the
    manifest's temperature and offset. Gradients are those of margins of the plain logits.

    Raises:
        ValueError: a wrong shape, type or class index, which is a bug in the calling code.
        UnknownLayer: the model has no such layer.
    """

    @property
    def manifest(self) -> Manifest: ...  # noqa: D102 - described above

    @property
    def digest(self) -> str: ...  # noqa: D102 - described above

    @property
    def scorecard(self) -> Scorecard | None: ...  # noqa: D102 - described above

    @property
    def curves(self) -> Curves | None: ...  # noqa: D102 - described above

    @property
    def domain(self) -> Domain | None: ...  # noqa: D102 - described above

    def predict(self, images: Floats) -> Scores:
        """Return probabilities and logits [N, classes], and features [N, d]."""
        ...

    def activations(self, images: Floats) -> dict[str, Floats]:
        """Return the maps [N, h, w, filters] of every layer in the manifest, by name."""
        ...

    def layer_gradients(self, layer: str, images: Floats, classes: ClassIndices) -> LayerGradients:
        """Return a layer's maps, and the gradients of the class margins with respect to them."""
        ...

    def input_gradients(self, images: Floats, classes: ClassIndices) -> Floats:
        """Return the class margins' gradients [N, height, width, 1] with respect to the pixels."""
        ...


def check_images(images: Floats, manifest: Manifest) -> None:
    """Raise ValueError unless `images` is a batch of one or more images of the model's shape."""
    expected = manifest.input_shape
    if (
        images.dtype != np.float32
        or images.ndim != 1 + len(expected)
        or images.shape[1:] != expected
        or not len(images)
    ):
        shape = ", ".join(map(str, expected))
        raise ValueError(f"images must be float32 [N, {shape}]; got {images.dtype} {images.shape}")


def check_classes(classes: ClassIndices, images: Floats, manifest: Manifest) -> None:
    """Raise ValueError unless `classes` has one valid class index per image."""
    if classes.dtype != np.int32 or classes.shape != (len(images),):
        raise ValueError(
            f"classes must be int32 [{len(images)}]; got {classes.dtype} {classes.shape}"
        )

    if not all(0 <= index < len(manifest.classes) for index in classes):
        raise ValueError(
            f"class indices must lie in 0..{len(manifest.classes) - 1}; got {classes.tolist()}"
        )
