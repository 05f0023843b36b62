"""Two runs of one training, compared to the bit."""

from collections.abc import Mapping
from io import BytesIO
from zipfile import ZipFile

import h5py
import numpy as np

from training.fit.run import Run, read_json


def compare_runs(whole: Run, killed: Run) -> bool:
    """Print whether the files of both runs are equal, and return whether all are."""
    last = len(read_json(whole.history))
    equal = {
        "history.json": whole.history.read_bytes() == killed.history.read_bytes(),
        "best.keras": _equal(_kept(whole), _kept(killed)),
        "last checkpoint": _equal(
            _arrays(whole.checkpoint(last).read_bytes()),
            _arrays(killed.checkpoint(last).read_bytes()),
        ),
        "names of all files": _names(whole) == _names(killed),
    }
    for name, is_equal in equal.items():
        print(f"{name}: {'equal' if is_equal else 'DIFFERENT'}")
    return all(equal.values())


def _kept(run: Run) -> dict[str, np.ndarray]:
    with ZipFile(run.best_model) as archive:
        return _arrays(archive.read("model.weights.h5"))


def _arrays(content: bytes) -> dict[str, np.ndarray]:
    """Return the arrays of an HDF5 file by their path."""
    arrays: dict[str, np.ndarray] = {}

    def collect(path: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[path] = item[()]

    with h5py.File(BytesIO(content)) as file:
        file.visititems(collect)
    return arrays


def _equal(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> bool:
    """Return whether both have the same arrays to the bit."""
    return one.keys() == other.keys() and all(
        one[path].tobytes() == other[path].tobytes() for path in one
    )


def _names(run: Run) -> set[str]:
    """Return the names of the run's files. Every process has a log of its own."""
    return {path.name for path in run.directory.iterdir()}
