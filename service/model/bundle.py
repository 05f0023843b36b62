"""The bundle: a SavedModel directory, verified on loading and called through its signatures.

This is the only module that imports TensorFlow.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from service.errors import BundleDamaged, BundleMissing, BundleUnreadable
from service.host.cores import usable_cores
from service.model.contract import ClassIndices, check_classes, check_images
from service.model.folding import Signature, fold
from service.model.manifest import MANIFEST_FILE, Manifest, checksums, gradcam_signature
from service.model.quality_files import load_curves, load_domain, load_scorecard
from service.records import Floats, LayerGradients, Scores

_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}  # warnings and errors only
# oneDNN halves the time of a convolution, and rounds differently.
_FAST = {"TF_ENABLE_ONEDNN_OPTS": "1"}
_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
_PREDICT = "serving_default"
_LEGACY_KERAS = "TF_USE_LEGACY_KERAS"


class Bundle:
    """An exported model. The first one in a process imports TensorFlow, which takes seconds."""

    def __init__(
        self, path: Path, manifest: Manifest, digest: str, threads: int | None = None
    ) -> None:
        tensorflow = _tensorflow(threads)
        self.manifest = manifest
        self.digest = digest
        self.scorecard = load_scorecard(path)
        self.curves = load_curves(path)
        self.domain = load_domain(path, manifest)
        self._tensor = tensorflow.constant
        self._run_error: type[Exception] = tensorflow.errors.OpError
        self._signatures = _load_signatures(tensorflow, path, manifest)

    @classmethod
    def load(cls, path: Path, threads: int | None = None) -> Self:
        """Load the bundle in a version directory such as `models/demo/1`, and verify its files.

        Every file is compared with the manifest. `threads`: number of TensorFlow's threads, by
        default one for each core this process may use. It has no effect once TensorFlow runs.
        Without it, TF_NUM_INTRAOP_THREADS in the environment counts.

        Raises:
            BundleMissing: there is no bundle at `path`.
            BundleDamaged: a file is missing, altered, unreadable or not in the manifest, or a
                signature is missing or does not fit the manifest.
        """
        manifest, digest = read_manifest(path)
        _check_files(path, manifest)
        return cls(path, manifest, digest, threads)

    def predict(self, images: Floats) -> Scores:
        """Return probabilities and logits [N, classes], and features [N, d]."""
        check_images(images, self.manifest)
        return _scores(self._run(_PREDICT, images=images))

    def activations(self, images: Floats) -> dict[str, Floats]:
        """Return the maps [N, h, w, filters] of the manifest's layers by name, in depth order."""
        check_images(images, self.manifest)
        maps = self._run("activations", images=images)
        return {layer.name: maps[layer.name] for layer in self.manifest.layers}

    def layer_gradients(self, layer: str, images: Floats, classes: ClassIndices) -> LayerGradients:
        """Return a layer's maps, and the gradients of the class margins with respect to them."""
        signature = gradcam_signature(self.manifest.layer(layer).name)
        check_images(images, self.manifest)
        check_classes(classes, images, self.manifest)

        outputs = self._run(signature, images=images, class_index=classes)
        return LayerGradients(outputs["maps"], outputs["gradients"], _scores(outputs))

    def input_gradients(self, images: Floats, classes: ClassIndices) -> Floats:
        """Return the class margins' gradients [N, height, width, 1] with respect to the pixels."""
        check_images(images, self.manifest)
        check_classes(classes, images, self.manifest)
        return self._run("input_gradients", images=images, class_index=classes)["gradients"]

    @contextmanager
    def on_trial(self) -> Iterator[None]:
        """Run the block, in which TensorFlow's errors are the fault of the bundle.

        Raises:
            BundleDamaged: TensorFlow cannot run a signature.
        """
        try:
            yield
        except self._run_error as error:
            raise BundleDamaged(
                f"TensorFlow cannot run model {self.manifest.name}/{self.manifest.version}: "
                f"{type(error).__name__}. Export the bundle again."
            ) from error

    def _run(self, signature: str, **inputs: Any) -> dict[str, Floats]:
        """Call a signature with arrays, and return its outputs as arrays."""
        tensors = {name: self._tensor(array) for name, array in inputs.items()}
        outputs = self._signatures[signature](**tensors)
        return {name: tensor.numpy() for name, tensor in outputs.items()}


def _scores(outputs: dict[str, Floats]) -> Scores:
    return Scores(outputs["probabilities"], outputs["logits"], outputs["features"])


def _tensorflow(threads: int | None) -> Any:
    """Import TensorFlow and return the package.

    It reads its environment variables when it is imported. Variables that are already set keep
    their value, except for the numbers of threads if `threads` is given.
    """
    if threads is not None:
        os.environ.update(dict.fromkeys(_THREADS, str(threads)))

    defaults = _QUIET | _FAST | dict.fromkeys(_THREADS, str(usable_cores()))
    for variable, value in defaults.items():
        os.environ.setdefault(variable, value)

    with _without_keras():
        import tensorflow  # noqa: ICN001, PLC0415 - takes seconds
    return tensorflow


@contextmanager
def _without_keras() -> Iterator[None]:
    """Keep the import of TensorFlow from importing Keras, which signatures do not need.

    The import takes 1.9 s of processor time instead of 3.4 s. TensorFlow looks for the legacy Keras
    package instead and continues without it if it is not installed. It still loads Keras lazily
    when it is used.
    """
    if _LEGACY_KERAS in os.environ:
        yield
        return

    os.environ[_LEGACY_KERAS] = "1"
    yield
    del os.environ[_LEGACY_KERAS]


def read_manifest(path: Path) -> tuple[Manifest, str]:
    """Return the manifest of a bundle and the bundle's digest, without TensorFlow.

    Raises:
        BundleMissing, BundleDamaged: as `Bundle.load`, if the manifest itself cannot be used.
    """
    content = _read_manifest(path)
    return _parse_manifest(content, path), hashlib.sha256(content).hexdigest()


def _read_manifest(path: Path) -> bytes:
    try:
        return (path / MANIFEST_FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BundleMissing(
            f"There is no model bundle at {path}. Name a version directory such as models/demo/1, "
            "or make one with `python -m training export`."
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _parse_manifest(content: bytes, path: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        if first["loc"] == ("schema_version",):
            raise _unsupported(path) from error
        place = ".".join(map(str, first["loc"])) or "as a whole"
        message = f"The manifest of bundle {path} is not valid: {place}: {first['msg']}."
        raise BundleDamaged(message) from error


def _unsupported(path: Path) -> BundleDamaged:
    """Return the error for a schema version that is not served.

    Bundles of version 1 were made before the first release. They lack the features of an image,
    and logits beside its gradients.
    """
    return BundleDamaged(
        f"Bundle {path} has a manifest of a schema version that this release does not serve. "
        "Export the model again with this release."
    )


def _check_files(path: Path, manifest: Manifest) -> None:
    """Compare the files with the manifest. BundleDamaged names all that differ."""
    expected = manifest.files
    try:
        actual = checksums(path)
    except OSError as error:
        raise _unreadable(path, error) from error

    common = actual.keys() & expected.keys()
    faults = {
        "missing": expected.keys() - actual.keys(),
        "not in the manifest": actual.keys() - expected.keys(),
        "altered": {file for file in common if actual[file] != expected[file]},
    }

    named = "; ".join(
        f"{fault}: {', '.join(sorted(files))}" for fault, files in faults.items() if files
    )
    if named:
        raise BundleDamaged(
            f"The files of bundle {path} differ from those that were exported ({named}). "
            "Copy or export the bundle again."
        )


def _unreadable(path: Path, error: OSError) -> BundleUnreadable:
    return BundleUnreadable(f"Bundle {path} cannot be read: {error.strerror}.")


def _load_signatures(tensorflow: Any, path: Path, manifest: Manifest) -> dict[str, Signature]:
    """Load the SavedModel and return its signatures, those of the manifest at least."""
    try:
        model = tensorflow.saved_model.load(str(path))
    except (OSError, ValueError, RuntimeError, tensorflow.errors.OpError) as error:
        raise BundleDamaged(
            f"TensorFlow {tensorflow.__version__} cannot load bundle {path}. "
            "Export the bundle again with this version."
        ) from error

    _check_signatures(model.signatures, manifest, path)
    return {**model.signatures, _PREDICT: fold(model.signatures[_PREDICT])}


def _check_signatures(signatures: Mapping[str, Any], manifest: Manifest, path: Path) -> None:
    """Check that every signature is there, with the shapes that the manifest describes."""
    names = [layer.name for layer in manifest.layers]
    expected = [_PREDICT, "activations", "input_gradients", *map(gradcam_signature, names)]
    missing = [name for name in expected if name not in signatures]
    if missing:
        raise BundleDamaged(
            f"Bundle {path} lacks the signatures {', '.join(missing)}. Export it again."
        )

    scores = signatures[_PREDICT]
    is_consistent = (
        tuple(scores.structured_input_signature[1]["images"].shape) == (None, *manifest.input_shape)
        and scores.structured_outputs["probabilities"].shape[-1] == len(manifest.classes)
        and scores.structured_outputs["features"].shape[-1] == manifest.features
        and set(signatures["activations"].structured_outputs) == set(names)
    )
    if not is_consistent:
        raise BundleDamaged(
            f"The signatures of bundle {path} are not those its manifest describes. "
            "Export the bundle again."
        )
