"""The bundle: a SavedModel directory, verified and asked through its signatures; the only importer of TensorFlow."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from service.errors import BundleDamaged, BundleMissing
from service.host.cores import usable_cores
from service.model.contract import ClassIndices, check_classes, check_images
from service.model.folding import Ask, fold
from service.model.manifest import MANIFEST_FILE, Manifest, checksums, gradcam_signature
from service.model.quality_files import load_domain, load_scorecard
from service.records import Floats, LayerGradients, Scores

_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}  # warnings and errors only
_FAST = {
    "TF_ENABLE_ONEDNN_OPTS": "1"
}  # halves the time of a convolution, at the price of another rounding
_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
_PREDICT = "serving_default"
_LEGACY_KERAS = "TF_USE_LEGACY_KERAS"


class Bundle:
    """A trained model as it was exported; the first one of a process imports TensorFlow, which takes seconds."""

    def __init__(
        self, path: Path, manifest: Manifest, digest: str, threads: int | None = None
    ) -> None:
        tensorflow = _tensorflow(threads)
        self.manifest = manifest
        self.digest = digest
        self.scorecard = load_scorecard(path)
        self.domain = load_domain(path, manifest)
        self._tensor = tensorflow.constant
        self._signatures = _load_signatures(tensorflow, path, manifest)

    @classmethod
    def load(cls, path: Path, threads: int | None = None) -> Self:
        """The bundle in a version directory such as `models/demo/1`, every file of it held against the manifest.

        `threads`: how many TensorFlow may use, by default one for each core this process may use; without effect once
        TensorFlow runs, or where the environment sets TF_NUM_INTRAOP_THREADS.

        Raises:
            BundleMissing: there is none at `path`.
            BundleDamaged: a file is missing, altered, unreadable or not in the manifest, or a signature is missing.
        """
        stated = _read_manifest(path)
        manifest = _parse_manifest(stated, path)
        _check_files(path, manifest)
        return cls(path, manifest, hashlib.sha256(stated).hexdigest(), threads)

    def predict(self, images: Floats) -> Scores:
        """Probabilities and logits [N, classes], and features."""
        check_images(images, self.manifest)
        return _scores(self._run(_PREDICT, images=images))

    def activations(self, images: Floats) -> dict[str, Floats]:
        """The maps [N, h, w, filters] of every layer in the manifest, by name, in depth order."""
        check_images(images, self.manifest)
        maps = self._run("activations", images=images)
        return {layer.name: maps[layer.name] for layer in self.manifest.layers}

    def layer_gradients(self, layer: str, images: Floats, classes: ClassIndices) -> LayerGradients:
        """A layer's maps and the gradients of each image's class margin to them."""
        signature = gradcam_signature(self.manifest.layer(layer).name)
        check_images(images, self.manifest)
        check_classes(classes, images, self.manifest)
        found = self._run(signature, images=images, class_index=classes)
        return LayerGradients(found["maps"], found["gradients"], _scores(found))

    def input_gradients(self, images: Floats, classes: ClassIndices) -> Floats:
        """The gradients [N, height, width, 1] of each image's class margin to its pixels."""
        check_images(images, self.manifest)
        check_classes(classes, images, self.manifest)
        return self._run("input_gradients", images=images, class_index=classes)["gradients"]

    def _run(self, signature: str, **inputs: Any) -> dict[str, Floats]:
        outputs = self._signatures[signature](
            **{name: self._tensor(array) for name, array in inputs.items()}
        )
        return {name: tensor.numpy() for name, tensor in outputs.items()}


def _scores(found: dict[str, Floats]) -> Scores:
    return Scores(found["probabilities"], found["logits"], found["features"])


def _tensorflow(threads: int | None) -> Any:
    """The imported package. It reads these variables when it starts; what the environment says already, stays."""
    if threads is not None:
        os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    for variable, value in (_QUIET | _FAST | dict.fromkeys(_THREADS, str(usable_cores()))).items():
        os.environ.setdefault(variable, value)
    with _without_keras():
        import tensorflow  # noqa: ICN001, PLC0415 - seconds that importing this module must not cost
    return tensorflow


@contextmanager
def _without_keras() -> Iterator[None]:
    """Keeps TensorFlow's import from importing Keras, which signatures do not need: 1.9 s of processor time, not 3.4.

    TensorFlow then looks for its predecessor instead, does without where that is not installed, and gives access to
    Keras on demand as ever.
    """
    if _LEGACY_KERAS in os.environ:
        yield
        return
    os.environ[_LEGACY_KERAS] = "1"
    yield
    del os.environ[_LEGACY_KERAS]


def _read_manifest(path: Path) -> bytes:
    try:
        return (path / MANIFEST_FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BundleMissing(
            f"There is no model bundle at {path}; name a version directory such as models/demo/1, "
            "or make one with `python -m training export`."
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _parse_manifest(stated: bytes, path: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(stated)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "as a whole"
        raise BundleDamaged(
            f"The manifest of bundle {path} is not valid: {place}: {first['msg']}."
        ) from error


def _check_files(path: Path, manifest: Manifest) -> None:
    try:
        found = checksums(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    faults = {
        "missing": manifest.files.keys() - found.keys(),
        "not in the manifest": found.keys() - manifest.files.keys(),
        "altered": {
            file
            for file in found.keys() & manifest.files.keys()
            if found[file] != manifest.files[file]
        },
    }
    named = "; ".join(
        f"{fault}: {', '.join(sorted(files))}" for fault, files in faults.items() if files
    )
    if named:
        raise BundleDamaged(
            f"The files of bundle {path} are not those that were exported ({named}); copy or export it again."
        )


def _unreadable(path: Path, error: OSError) -> BundleDamaged:
    return BundleDamaged(f"Bundle {path} cannot be read: {error.strerror}.")


def _load_signatures(tensorflow: Any, path: Path, manifest: Manifest) -> dict[str, Ask]:
    try:
        model = tensorflow.saved_model.load(str(path))
    except (OSError, ValueError, RuntimeError, tensorflow.errors.OpError) as error:
        raise BundleDamaged(
            f"TensorFlow {tensorflow.__version__} cannot load bundle {path}; export it again with this version."
        ) from error
    _check_signatures(model.signatures, manifest, path)
    return {**model.signatures, _PREDICT: fold(model.signatures[_PREDICT])}


def _check_signatures(signatures: Mapping[str, Any], manifest: Manifest, path: Path) -> None:
    names = [layer.name for layer in manifest.layers]
    expected = [_PREDICT, "activations", "input_gradients", *map(gradcam_signature, names)]
    missing = [name for name in expected if name not in signatures]
    if missing:
        raise BundleDamaged(
            f"Bundle {path} lacks the signatures {', '.join(missing)}; export it again."
        )
    scores = signatures[_PREDICT]
    agreed = (
        tuple(scores.structured_input_signature[1]["images"].shape) == (None, *manifest.input_shape)
        and scores.structured_outputs["probabilities"].shape[-1] == len(manifest.classes)
        and scores.structured_outputs["features"].shape[-1] == manifest.features
        and set(signatures["activations"].structured_outputs) == set(names)
    )
    if not agreed:
        raise BundleDamaged(
            f"The signatures of bundle {path} are not those its manifest describes; export it again."
        )
