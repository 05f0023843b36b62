"""Cache of decoded and fitted images on disk, and parts of a data set that are read from it.

One `.npz` per image holds the model's input as uint16, the breast mask and the affine map back to
source pixels. The file name contains a digest of everything that decides the content: path, size
and modification time of the image file, the fit parameters, the source of the service's decoder and
fit, the versions of the decoding libraries, and the source of `write_fitted`. A cached image that
exists is therefore up to date. An image from another decoder or fit has another name.
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
from training.config import ImageSource
from training.data.table import Record
from training.errors import CacheError

FAILURES = "failures.csv"

_SOURCES = ("imaging/**/*.py", "geometry.py", "records/*.py")
_LIBRARIES = ("imagecodecs", "numpy", "opencv-python-headless", "pillow", "pydicom")


def imaging_digest(package: Path, versions: Mapping[str, str]) -> bytes:
    """Return a digest of the code that decides the pixels of a fitted image.

    This code is the decoder, the fit and the geometry in the directory `package`, and the decoding
    libraries. `versions`: version of each library by name.
    """
    sources = sorted(path for pattern in _SOURCES for path in package.glob(pattern))
    digest = hashlib.sha256(repr(sorted(versions.items())).encode())
    for source in sources:
        digest.update(source.relative_to(package).as_posix().encode() + b"\0")
        digest.update(source.read_bytes() + b"\0")

    return digest.digest()


@cache
def image_code_digest() -> bytes:
    """Return a digest of the installed decoder and fit, and of `write_fitted`."""
    installed = imaging_digest(
        Path(service.__file__).parent, {name: version(name) for name in _LIBRARIES}
    )
    return hashlib.sha256(installed + inspect.getsource(write_fitted).encode()).digest()


def cached_path(record: Record, source: ImageSource) -> Path:
    """Return the path of a record's fitted image, whether or not it exists yet."""
    image = record.image
    status = image.stat()

    facts = (
        str(image),
        status.st_size,
        status.st_mtime_ns,
        astuple(source.fit.parameters()),
        image_code_digest(),
    )
    digest = hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
    return source.data.cache / f"{record.patient_id}_{record.image_id}.{digest}.npz"


def write_fitted(path: Path, fitted: Fitted) -> None:
    """Write a fitted image to the cache, atomically: an interrupted write leaves no `.npz`."""
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
    """Records and the `paths` of their fitted images in the cache. Images are read on access."""

    records: tuple[Record, ...]
    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.records)

    @property
    def labels(self) -> NDArray[np.int32]:
        """Labels, 1 for cancer and 0 for no cancer, int32 [N]."""
        return np.array([record.cancer for record in self.records], dtype=np.int32)

    def images(self, indices: Sequence[int] | NDArray[np.int64]) -> Floats:
        """Read the model's input for these records, float32 [N, height, width, 1] in [0, 1]."""
        return np.stack(
            [_read(self.paths[index], "image")[..., None] / np.float32(WHITE) for index in indices]
        )

    def mask(self, index: int) -> Mask:
        """Read the breast mask of one record on the model's grid, [height, width]."""
        return _read(self.paths[index], "mask")

    def to_source(self, index: int) -> Affine:
        """Read the map from the model's grid to the source pixels of one record."""
        return Affine(*_read(self.paths[index], "to_source").tolist())


def _read(path: Path, name: str) -> NDArray[Any]:
    with np.load(path, allow_pickle=False) as file:
        return np.asarray(file[name])


def open_part(records: Sequence[Record], source: ImageSource) -> Part:
    """Return the records as a part, without those that `prepare` reported as unusable.

    Raises:
        CacheError: if an image is neither in the cache nor in the report of unusable images.
    """
    unusable = read_failures(source.data.cache)
    usable = [
        (record, cached_path(record, source))
        for record in records
        if record.image_id not in unusable
    ]

    absent = [record.image_id for record, path in usable if not path.is_file()]
    if absent:
        raise CacheError(
            f"{len(absent)} images are not prepared with this fit, for example {absent[0]}: "
            "run `python -m training prepare` first."
        )

    return Part(tuple(record for record, _ in usable), tuple(path for _, path in usable))


@dataclass(frozen=True, slots=True)
class Failure:
    """Image that the service's decoder or fit rejected, with the error's class and message."""

    image_id: str
    error: str
    message: str


def write_failures(directory: Path, failures: Sequence[Failure]) -> Path:
    """Write the report of unusable images, a CSV table in the cache, and return its path."""
    path = directory / FAILURES

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("image_id", "error", "message"))
        writer.writerows(astuple(failure) for failure in failures)

    return path


def read_failures(directory: Path) -> frozenset[str]:
    """Return the image IDs in the last report of unusable images, or none without a report."""
    path = directory / FAILURES
    if not path.exists():
        return frozenset()

    with path.open(encoding="utf-8", newline="") as file:
        return frozenset(row["image_id"] for row in csv.DictReader(file))
