"""A bundle that is called through its signatures, whichever engine runs them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from service.errors import BundleDamaged
from service.model.bundle_files import check_files, read_manifest
from service.model.contract import ClassIndices, check_classes, check_images
from service.model.manifest import Manifest, gradcam_signature
from service.model.quality_files import load_curves, load_domain, load_scorecard
from service.records import Floats, LayerGradients, Scores

PREDICT = "serving_default"
ACTIVATIONS = "activations"
INPUT_GRADIENTS = "input_gradients"


@dataclass(frozen=True, slots=True)
class SignatureShapes:
    """Shape of the images, and size of the last axis of each output by name. None is any size."""

    images: tuple[int | None, ...]
    last_axes: Mapping[str, int | None]


class SignatureModel(ABC):
    """An exported model, verified on loading. It is a `Model`.

    `engine`: the library that runs the signatures. `digest`: of the manifest, which lists the files
    of every engine.
    """

    engine: ClassVar[str]

    def __init__(
        self, path: Path, manifest: Manifest, digest: str, threads: int | None = None
    ) -> None:
        self.manifest = manifest
        self.digest = digest
        self.scorecard = load_scorecard(path)
        self.curves = load_curves(path)
        self.domain = load_domain(path, manifest)
        self._open(path, threads)

    @classmethod
    def load(cls, path: Path, threads: int | None = None) -> Self:
        """Load the bundle in a version directory such as `models/demo/1`, and verify its files.

        Every file is compared with the manifest. `threads`: number of the engine's threads, by
        default one for each core this process may use.

        Raises:
            BundleMissing: there is no bundle at `path`.
            BundleDamaged: a file is missing, altered, unreadable or not in the manifest, or a
                signature is missing or does not fit the manifest.
        """
        manifest, digest = read_manifest(path)
        check_files(path, manifest)
        return cls(path, manifest, digest, threads)

    @abstractmethod
    def _open(self, path: Path, threads: int | None) -> None:
        """Open the files of the engine. Errors and `threads`: see `load`."""

    @abstractmethod
    def run(self, signature: str, **inputs: Any) -> dict[str, Floats]:
        """Call a signature with arrays, and return its outputs as arrays."""

    @property
    @abstractmethod
    def run_errors(self) -> tuple[type[Exception], ...]:
        """The errors that the engine raises."""

    def predict(self, images: Floats) -> Scores:
        """Return probabilities and logits [N, classes], and features [N, d]."""
        check_images(images, self.manifest)
        return _scores(self.run(PREDICT, images=images))

    def activations(self, images: Floats) -> dict[str, Floats]:
        """Return the maps [N, h, w, filters] of the manifest's layers by name, in depth order."""
        check_images(images, self.manifest)
        maps = self.run(ACTIVATIONS, images=images)
        return {layer.name: maps[layer.name] for layer in self.manifest.layers}

    def layer_gradients(self, layer: str, images: Floats, classes: ClassIndices) -> LayerGradients:
        """Return a layer's maps, and the gradients of the class margins with respect to them."""
        signature = gradcam_signature(self.manifest.layer(layer).name)
        check_images(images, self.manifest)
        check_classes(classes, images, self.manifest)

        outputs = self.run(signature, images=images, class_index=classes)
        return LayerGradients(outputs["maps"], outputs["gradients"], _scores(outputs))

    def input_gradients(self, images: Floats, classes: ClassIndices) -> Floats:
        """Return the class margins' gradients [N, height, width, 1] with respect to the pixels."""
        check_images(images, self.manifest)
        check_classes(classes, images, self.manifest)
        return self.run(INPUT_GRADIENTS, images=images, class_index=classes)["gradients"]

    @contextmanager
    def on_trial(self) -> Iterator[None]:
        """Run the block, in which the engine's errors are the fault of the bundle.

        Raises:
            BundleDamaged: the engine cannot run a signature.
        """
        try:
            yield
        except self.run_errors as error:
            raise BundleDamaged(
                f"{self.engine} cannot run model {self.manifest.name}/{self.manifest.version}: "
                f"{type(error).__name__}. Export the bundle again."
            ) from error


def signatures_of(manifest: Manifest) -> list[str]:
    """Return the names of the signatures that a bundle has to have."""
    layers = [gradcam_signature(layer.name) for layer in manifest.layers]
    return [PREDICT, ACTIVATIONS, INPUT_GRADIENTS, *layers]


def check_shapes(shapes: Mapping[str, SignatureShapes], manifest: Manifest, path: Path) -> None:
    """Raise BundleDamaged unless the signatures have the shapes that the manifest describes."""
    scores = shapes[PREDICT]
    is_consistent = (
        scores.images[1:] == manifest.input_shape
        and scores.last_axes.get("probabilities") == len(manifest.classes)
        and scores.last_axes.get("features") == manifest.features
        and set(shapes[ACTIVATIONS].last_axes) == {layer.name for layer in manifest.layers}
    )
    if not is_consistent:
        raise BundleDamaged(
            f"The signatures of bundle {path} are not those its manifest describes. "
            "Export the bundle again."
        )


def _scores(outputs: dict[str, Floats]) -> Scores:
    return Scores(outputs["probabilities"], outputs["logits"], outputs["features"])
