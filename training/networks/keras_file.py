"""Keras files: a network is loaded, or one sentence says why not and how to save it."""

import re
import zipfile
import zlib
from pathlib import Path

import keras

from training.errors import RunError
from training.networks.full_precision import computing_in_float32

_CONFIG = "config.json"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_HDF5_SUFFIXES = (".h5", ".hdf5")
_SAVE = "save the whole network with `model.save('network.keras')`"

# Classes of the exceptions that Keras raised for damaged files, thousands of which were tried.
_KERAS_ERRORS = (AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)


def load_network(path: Path) -> keras.Model:
    """Load a network, as one of one output that computes in float32. Code in the file never runs.

    A network whose one output is in a dictionary loses the dictionary.

    Raises:
        RunError: the file is missing, or holds no network that can be loaded.
    """
    check_keras_file(path)

    try:
        model = keras.saving.load_model(path, compile=False)
    except _KERAS_ERRORS as error:
        raise RunError(_complaint(path, str(error))) from error

    return computing_in_float32(_unwrapped(model))


def check_keras_file(path: Path) -> None:
    """Check that a file is a whole Keras file, by its content and its name.

    Raises:
        RunError: it is missing, damaged or another kind of file.
    """
    if not path.exists():
        raise RunError(f"There is no Keras file {path}.")
    if (path / "saved_model.pb").exists():
        raise RunError(
            f"{path} is a TensorFlow SavedModel, out of which Keras 3 makes no network: load it "
            f"with the program that made it, and {_SAVE}."
        )
    if path.is_dir():
        raise RunError(f"{path} is a directory: name the .keras file in it.")

    with path.open("rb") as file:
        start = file.read(len(_HDF5))
    if start == _HDF5:
        _check_name(path, _HDF5_SUFFIXES)
    elif start.startswith(b"PK"):
        _check_archive(path)
        _check_name(path, (".keras",))
    else:
        size = "is empty" if not start else "is not a Keras file"
        raise RunError(f"{path} {size}: {_SAVE}.")


def _check_archive(path: Path) -> None:
    """Refuse a zip file that is damaged, or not that of a network."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError) as error:
        raise RunError(f"{path} is damaged or cut off ({error}): copy or save it again.") from error

    if damaged is not None:
        raise RunError(f"{path} is damaged in its part {damaged}: copy or save it again.")
    if _CONFIG not in names:
        raise RunError(f"{path} is a zip file without a network: {_SAVE}.")


def _check_name(path: Path, suffixes: tuple[str, ...]) -> None:
    """Refuse a Keras file with a name by which Keras does not know it."""
    if path.suffix not in suffixes:
        raise RunError(
            f"{path} is a Keras file, but Keras goes by the name: rename it to end in "
            f"{suffixes[0]}."
        )


def _complaint(path: Path, reason: str) -> str:
    """Return a sentence for the message of an exception of Keras."""
    if "`Lambda`" in reason:
        return (
            f"{path} has a Lambda layer of a Python lambda, and loading it would run code that is "
            "in the file: replace it with a layer of keras.layers, and save the network again."
        )

    unknown = re.search(r"Could not locate (?:class|function) '([^']*)'", reason)
    if unknown:
        return (
            f"{path} needs {unknown[1]!r}, which is not part of Keras, and a Keras file holds no "
            "code: build the network from layers of keras.layers, functionally or sequentially."
        )

    if "No model config" in reason:
        return f"{path} holds weights alone, without the network they belong to: {_SAVE}."

    line = next(iter(reason.splitlines()), "no reason given")
    return f"Keras {keras.__version__} cannot load {path} ({line[:200]}): {_SAVE}."


def _unwrapped(model: keras.Model) -> keras.Model:
    """Return the network with its one output bare, out of the dictionary it may be in."""
    is_functional = not isinstance(model, keras.Sequential)
    if is_functional and isinstance(model.output, dict) and len(model.outputs) == 1:
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    return model
