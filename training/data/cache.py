"""Decoded and fitted images on disk, and parts of a data set read back from there.

One `.npz` per image holds the model's input as uint16, the breast's mask and the affine back to source pixels. Its name
carries a digest of everything it was made from: the image file's path, size and time, the fit's parameters, the source
of the service's decoder and fit, the versions of the decoding libraries, and the source of what writes it here. So a
cached image that exists is a right one, and one made by another decoder or fit is never found.
"""

import csv
import hashlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import service
from service.geometry import Affine
from service.records import WHITE, Fitted, Floats, Mask
from training.config import Experiment
from training.data.table import Record
from training.errors import CacheError

FAILURES = "failures.csv"


_SOURCES = ("imaging/**/*.py", "geometry.py", "records/*.py")
_LIBRARIES = ("imagecodecs", "numpy", "opencv-python-headless", "pillow", "pydicom")


def imaging_digest(package: Path, versions: Mapping[str, str]) -> bytes:
    """Digest of what decides the pixels of a fitted image: decoder, fit and geometry below `package`, and libraries.

    `versions`: of each decoding library by name.
    """
    sources = sorted(path for pattern in _SOURCES for path in package.glob(pattern))
    digest = hashlib.sha256(repr(sorted(versions.items())).encode())
    for source in sources:
        digest.update(source.relative_to(package).as_posix().encode() + b"\0")
        digest.update(source.read_bytes() + b"\0")

    return digest.digest()


@cache
def _writer_digest() -> bytes:
    """Digest of the installed decoder and fit, and of the function that writes cached images."""
    installed = imaging_digest(
        Path(service.__file__).parent, {name: version(name) for name in _LIBRARIES}
    )
    return hashlib.sha256(installed + inspect.getsource(write_fitted).encode()).digest()


def cached_path(record: Record, experiment: Experiment) -> Path:
    """Where the fitted image of a record is, or will be."""
    source = record.locate(experiment.data.images)
    status = source.stat()
    facts = (
        str(source),
        status.st_size,
        status.st_mtime_ns,
        astuple(experiment.fit.parameters()),
        _writer_digest(),
    )
    digest = hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
    return experiment.data.cache / f"{record.patient_id}_{record.image_id}.{digest}.npz"


def write_fitted(path: Path, fitted: Fitted) -> None:
    """Puts the fitted image into the cache; if this is interrupted, it is not there at all."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(
            file,
            image=np.rint(fitted.image[..., 0] * WHITE).astype(np.uint16),
            mask=fitted.mask,
            to_source=np.array(astuple(fitted.to_source)),
        )
    partial.replace(path)


@dataclass(frozen=True, slots=True)
class Part:
    """Records whose fitted images are in the cache at `paths`, which are read when asked for."""

    records: tuple[Record, ...]
    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.records)

    @property
    def labels(self) -> NDArray[np.int32]:
        """1 for cancer, 0 for none, int32 [N]."""
        return np.array([record.cancer for record in self.records], dtype=np.int32)

    def images(self, indices: Sequence[int] | NDArray[np.int64]) -> Floats:
        """The model's input for these records, float32 [N, height, width, 1] in [0, 1]."""
        return np.stack(
            [_read(self.paths[index], "image")[..., None] / np.float32(WHITE) for index in indices]
        )

    def mask(self, index: int) -> Mask:
        """The breast on the model's grid, [height, width]."""
        return _read(self.paths[index], "mask")

    def to_source(self, index: int) -> Affine:
        """From the model's grid to the source pixels of one record."""
        return Affine(*_read(self.paths[index], "to_source").tolist())


def _read(path: Path, name: str) -> NDArray[Any]:
    with np.load(path, allow_pickle=False) as file:
        return np.asarray(file[name])


def open_part(records: Sequence[Record], experiment: Experiment) -> Part:
    """The records as a part read from the cache, without those that `prepare` reported as unusable.

    Raises:
        CacheError: if an image is neither in the cache nor in the report.
    """
    unusable = read_failures(experiment.data.cache)
    usable = [
        (record, cached_path(record, experiment))
        for record in records
        if record.image_id not in unusable
    ]
    absent = [record.image_id for record, path in usable if not path.is_file()]
    if absent:
        raise CacheError(
            f"{len(absent)} images, {absent[0]} the first of them, are not prepared with this fit: "
            "run `python -m training prepare` first."
        )
    return Part(tuple(record for record, _ in usable), tuple(path for _, path in usable))


@dataclass(frozen=True, slots=True)
class Failure:
    """An image that the service's decoder or fit refused, and why."""

    image_id: str
    error: str
    message: str


def write_failures(directory: Path, failures: Sequence[Failure]) -> Path:
    """The report of unusable images, a CSV table in the cache."""
    path = directory / FAILURES
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("image_id", "error", "message"))
        writer.writerows(astuple(failure) for failure in failures)
    return path


def read_failures(directory: Path) -> frozenset[str]:
    """The image IDs in the last report of unusable images; empty if there is none."""
    path = directory / FAILURES
    if not path.exists():
        return frozenset()
    with path.open(encoding="utf-8", newline="") as file:
        return frozenset(row["image_id"] for row in csv.DictReader(file))
