"""Backend that Keras is going to use, known before Keras imports it."""

import json
import os
from pathlib import Path

from training.errors import BackendError

_BACKENDS = ("tensorflow", "jax")
_DETERMINISTIC = "--xla_gpu_deterministic_ops"


def chosen_backend() -> str:
    """Return the backend that the environment or Keras' own configuration file names.

    Importing Keras to ask would import the backend, which may not be installed.
    """
    named = os.environ.get("KERAS_BACKEND")
    if named:
        return named

    file = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["backend"])
    except (OSError, ValueError, LookupError):
        # Keras goes on without a file that it cannot read.
        return "tensorflow"


def prepare_backend(command: str) -> None:
    """Check that the command runs on the chosen backend, and choose how JAX computes.

    On a GPU, JAX is to give the same numbers each time, and float32 is to mean float32: products
    are not rounded to TF32, since the bundle is served in float32. Settings that the environment
    already has are kept. JAX reads them when it starts, so Keras must not be imported yet.

    Raises:
        BackendError: the backend is neither TensorFlow nor JAX.
    """
    backend = chosen_backend()
    if backend not in _BACKENDS:
        raise BackendError(
            f"`{command}` runs on the TensorFlow and JAX backends of Keras, and was never tested "
            f"on {backend}: set KERAS_BACKEND=tensorflow or KERAS_BACKEND=jax, which load networks "
            "of every backend."
        )

    if backend == "jax":
        flags = os.environ.get("XLA_FLAGS", "")
        if _DETERMINISTIC not in flags:
            os.environ["XLA_FLAGS"] = f"{flags} {_DETERMINISTIC}=true".strip()
        os.environ.setdefault("JAX_DEFAULT_MATMUL_PRECISION", "float32")


def require_tensorflow(command: str) -> None:
    """Check that Keras uses TensorFlow, whose functions a bundle is made of.

    Raises:
        BackendError: it uses another backend.
    """
    backend = chosen_backend()
    if backend != "tensorflow":
        raise BackendError(
            f"`{command}` needs the TensorFlow backend of Keras, not {backend}: run the command "
            "with KERAS_BACKEND=tensorflow, which loads networks of every backend."
        )
