"""Backend that Keras is going to use, known before Keras imports it."""

import json
import os
from pathlib import Path

from training.errors import ExportError


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


def require_tensorflow(command: str) -> None:
    """Check that Keras uses TensorFlow, whose functions a bundle is made of.

    Raises:
        ExportError: it uses another backend.
    """
    backend = chosen_backend()
    if backend != "tensorflow":
        raise ExportError(
            f"`{command}` needs the TensorFlow backend of Keras, not {backend}: run the command "
            "with KERAS_BACKEND=tensorflow, which loads networks of every backend."
        )
