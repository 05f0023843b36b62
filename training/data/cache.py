"""Parts of a data set, read from the cache of decoded and fitted images.

Nothing here touches the image files: a cache that was prepared on one machine is read on another.
`cache_shards` describes the files.
"""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from service.geometry import Affine
from service.records import Floats, Mask
from training.config import ImageSource
from training.data.cache_blob import LEVELS, decode_mask, decode_pixels, decode_to_source
from training.data.cache_shards import Entry, Key, fit_folder, read_shards
from training.data.table import Record
from training.errors import CacheError

_REMEDY = "run `python -m training prepare`"


@dataclass(frozen=True, slots=True)
class Part:
    """Records and the `entries` of their fitted images in the cache. Images are read on access.

    `dropped`: records that were left out, because their images are unusable.
    """

    records: tuple[Record, ...]
    entries: tuple[Entry, ...]
    dropped: tuple[Record, ...] = field(default=(), kw_only=True)

    def __len__(self) -> int:
        return len(self.records)

    @property
    def labels(self) -> NDArray[np.int32]:
        """Labels, 1 for cancer and 0 for no cancer, int32 [N]."""
        return np.array([record.cancer for record in self.records], dtype=np.int32)

    @property
    def digest(self) -> str:
        """SHA-256 of the images in any order: patient, image and digest of the source file."""
        rows = (entry.row for entry in self.entries)
        facts = sorted((row.patient_id, row.image_id, row.sha256) for row in rows)
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    def images(self, indices: Sequence[int] | NDArray[np.int64]) -> Floats:
        """Read the model's input for these records, float32 [N, height, width, 1] in [0, 1].

        Raises:
            CacheError: if a shard is damaged.
        """
        pixels = np.stack([decode_pixels(read_blob(self.entries[index])) for index in indices])
        return np.divide(pixels[..., None], LEVELS, dtype=np.float32)

    def mask(self, index: int) -> Mask:
        """Read the breast mask of one record on the model's grid, [height, width].

        Raises:
            CacheError: if the shard is damaged.
        """
        return decode_mask(read_blob(self.entries[index]))

    def to_source(self, index: int) -> Affine:
        """Read the map from the model's grid to the source pixels of one record.

        Raises:
            CacheError: if the shard is damaged.
        """
        return decode_to_source(read_blob(self.entries[index]))


def read_blob(entry: Entry) -> bytes:
    """Read the bytes of an image, and check them.

    Raises:
        CacheError: if the shard is damaged.
    """
    try:
        with entry.path.open("rb", buffering=0) as file:
            file.seek(entry.row.offset)
            blob = file.read(entry.row.length)
    except OSError as error:
        raise CacheError(f"{entry.path} cannot be read ({error.strerror}): {_REMEDY}.") from error

    if len(blob) != entry.row.length or zlib.crc32(blob) != entry.row.checksum:
        raise CacheError(f"{entry.path} is damaged: {_REMEDY} to make its images again.")
    return blob


def open_part(records: Sequence[Record], source: ImageSource) -> Part:
    """Return the records as a part, without those whose images `prepare` found unusable.

    Raises:
        CacheError: if images are not prepared, or a file of the cache is damaged.
    """
    (part,) = open_parts_of([records], source)
    return part


def open_parts_of(groups: Sequence[Sequence[Record]], source: ImageSource) -> list[Part]:
    """Return each group of records as a part, see `open_part`. The index is read once.

    Raises:
        CacheError: if images are not prepared, or a file of the cache is damaged.
    """
    folder = fit_folder(source)
    shards = read_shards(folder)
    if shards.damaged:
        raise CacheError(f"{shards.damaged[0]} is damaged: {_REMEDY} to make its images again.")

    entries = shards.entries()
    return [_part(records, entries, folder.name) for records in groups]


def _part(records: Sequence[Record], entries: Mapping[Key, Entry], folder: str) -> Part:
    """Return the records as a part, from the entries of the index by key."""
    absent = [record for record in records if record.key not in entries]
    if absent:
        _refuse(absent, folder)

    pairs = [(record, entries[record.key]) for record in records]
    return Part(
        tuple(record for record, entry in pairs if not entry.row.error),
        tuple(entry for _, entry in pairs if not entry.row.error),
        dropped=tuple(record for record, entry in pairs if entry.row.error),
    )


def _refuse(absent: Sequence[Record], folder: str) -> NoReturn:
    example = "/".join(absent[0].key)
    raise CacheError(
        f"{len(absent)} images are not prepared with this fit ({folder}), for example {example}: "
        f"{_REMEDY} first."
    )
