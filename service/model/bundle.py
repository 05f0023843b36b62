"""The bundle as TensorFlow runs it: a SavedModel, called through its signatures.

This is the only module that imports TensorFlow.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from service.errors import BundleDamaged
from service.host.cores import usable_cores
from service.model.folding import Signature, fold
from service.model.manifest import Manifest
from service.model.signature_model import (
    ACTIVATIONS,
    PREDICT,
    SignatureModel,
    SignatureShapes,
    check_shapes,
    signatures_of,
)
from service.records import Floats

_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}  # warnings and errors only
# oneDNN halves the time of a convolution, and rounds differently.
_FAST = {"TF_ENABLE_ONEDNN_OPTS": "1"}
_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
_LEGACY_KERAS = "TF_USE_LEGACY_KERAS"


class Bundle(SignatureModel):
    """An exported model. The first one in a process imports TensorFlow, which takes seconds.

    `threads` has no effect once TensorFlow runs. Without it, TF_NUM_INTRAOP_THREADS in the
    environment counts.
    """

    engine = "TensorFlow"

    def _open(self, path: Path, threads: int | None) -> None:
        tensorflow = _tensorflow(threads)
        self._tensor = tensorflow.constant
        self._run_error: type[Exception] = tensorflow.errors.OpError
        self._signatures = _load_signatures(tensorflow, path, self.manifest)

    @property
    def run_errors(self) -> tuple[type[Exception], ...]:
        """The errors that TensorFlow raises."""
        return (self._run_error,)

    def run(self, signature: str, **inputs: Any) -> dict[str, Floats]:
        """Call a signature with arrays, and return its outputs as arrays."""
        tensors = {name: self._tensor(array) for name, array in inputs.items()}
        outputs = self._signatures[signature](**tensors)
        return {name: tensor.numpy() for name, tensor in outputs.items()}


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


def _load_signatures(tensorflow: Any, path: Path, manifest: Manifest) -> dict[str, Signature]:
    """Load the SavedModel and return its signatures, those of the manifest at least."""
    try:
        model = tensorflow.saved_model.load(str(path))
    except (OSError, ValueError, RuntimeError, tensorflow.errors.OpError) as error:
        raise BundleDamaged(
            f"TensorFlow {tensorflow.__version__} cannot load bundle {path}. "
            "Export the bundle again with this version."
        ) from error

    missing = [name for name in signatures_of(manifest) if name not in model.signatures]
    if missing:
        raise BundleDamaged(
            f"Bundle {path} lacks the signatures {', '.join(missing)}. Export it again."
        )

    described = {name: _shapes(model.signatures[name]) for name in (PREDICT, ACTIVATIONS)}
    check_shapes(described, manifest, path)
    return {**model.signatures, PREDICT: fold(model.signatures[PREDICT])}


def _shapes(signature: Any) -> SignatureShapes:
    images = tuple(signature.structured_input_signature[1]["images"].shape)
    outputs = signature.structured_outputs.items()
    return SignatureShapes(images, {name: tensor.shape[-1] for name, tensor in outputs})
