"""Shards of the cache: files of up to 256 fitted images, and their indexes.

    <cache>/<height>x<width>-<digest>/    the images of one fit
        fit.json                          the fit and the versions behind the digest
        000001-<digest>.bin               the images of a shard, one after the other
        000001-<digest>.csv               its index: patient, image, digest of the source, place
        failures.csv                      the unusable images, for people

Shards are only ever added. The index is renamed into place last and makes a shard complete, and its
name holds the digest of its text. If two shards have an image, the later one counts. No path and no
time decides anything, so that a folder works wherever it is copied to.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from io import StringIO
from pathlib import Path

from service.imaging import IMAGING_VERSION
from service.records import FitParameters
from training.config import ImageSource

FORMAT = 1
"""Version of the layout of the cache and of its images."""

FIT_FILE = "fit.json"
FAILURES = "failures.csv"

_INDEX = re.compile(r"(?P<number>\d{6})-(?P<digest>[0-9a-f]{12})\.csv")

Key = tuple[str, str]
"""An image in the cache: patient ID and image ID."""


@dataclass(frozen=True, slots=True)
class ShardRow:
    """Row of a shard's index: one image, or the reason why it is unusable.

    `sha256`: digest of the source file. It is empty if the image may be usable another time.
    `offset`, `length`, `checksum`: the image's bytes in the shard, and their CRC-32. `error`,
    `message`: empty for a usable image.
    """

    patient_id: str
    image_id: str
    sha256: str
    offset: int
    length: int
    checksum: int
    error: str
    message: str

    @property
    def key(self) -> Key:
        """Key of the image."""
        return self.patient_id, self.image_id


@dataclass(frozen=True, slots=True)
class Shard:
    """A complete shard: the path of its images, and the rows of its index."""

    path: Path
    rows: tuple[ShardRow, ...]

    @property
    def index(self) -> Path:
        """Path of the index."""
        return self.path.with_suffix(".csv")


@dataclass(frozen=True, slots=True)
class Entry:
    """The row that counts for an image, and the path of its shard's images."""

    row: ShardRow
    path: Path


@dataclass(frozen=True, slots=True)
class Shards:
    """The shards of one fit in the order of their numbers, and the files that are damaged."""

    sound: tuple[Shard, ...]
    damaged: tuple[Path, ...]

    def entries(self) -> dict[Key, Entry]:
        """Return the entry of every image in the sound shards."""
        return {row.key: Entry(row, shard.path) for shard in self.sound for row in shard.rows}


def fit_folder(source: ImageSource) -> Path:
    """Return the folder of the experiment's images in its cache."""
    parameters = source.fit.parameters()
    facts = (astuple(parameters), IMAGING_VERSION, FORMAT)
    digest = hashlib.sha256(repr(facts).encode()).hexdigest()[:8]

    return source.data.cache / f"{parameters.height}x{parameters.width}-{digest}"


def describe_fit(parameters: FitParameters) -> str:
    """Return the text of a folder's `fit.json`."""
    facts = {"format": FORMAT, "imaging_version": IMAGING_VERSION, **asdict(parameters)}
    return json.dumps(facts, indent=2) + "\n"


def read_shards(folder: Path) -> Shards:
    """Read the indexes of a folder, and compare them with the sizes of their files."""
    sound = []
    damaged = []

    for index, digest in _indexes(folder):
        text = index.read_bytes()
        if hashlib.sha256(text).hexdigest()[: len(digest)] != digest:
            damaged.append(index)
            continue

        shard = Shard(index.with_suffix(".bin"), _parse_rows(text.decode()))
        size = sum(row.length for row in shard.rows)
        if not shard.path.is_file() or shard.path.stat().st_size != size:
            damaged.append(shard.path)
        else:
            sound.append(shard)

    return Shards(tuple(sound), tuple(damaged))


def next_number(folder: Path) -> int:
    """Return the number of the next shard of a folder."""
    numbers = [int(index.name.partition("-")[0]) for index, _ in _indexes(folder)]
    return max(numbers, default=0) + 1


def shard_name(number: int, index: str) -> str:
    """Return the name of a shard, without suffix, from its number and the text of its index."""
    return f"{number:06d}-{hashlib.sha256(index.encode()).hexdigest()[:12]}"


def remove_shard(path: Path) -> None:
    """Delete both files of a shard. `path`: one of them."""
    path.with_suffix(".csv").unlink(missing_ok=True)
    path.with_suffix(".bin").unlink(missing_ok=True)


def format_rows(rows: Sequence[ShardRow]) -> str:
    """Return the text of an index."""
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(ShardRow))
    writer.writerows(astuple(row) for row in rows)

    return text.getvalue()


def _parse_rows(text: str) -> tuple[ShardRow, ...]:
    rows = csv.reader(StringIO(text, newline=""))
    next(rows)

    return tuple(
        ShardRow(patient, image, sha256, int(offset), int(length), int(checksum), error, message)
        for patient, image, sha256, offset, length, checksum, error, message in rows
    )


def _indexes(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the path of each index in a folder, in order, and the digest in its name."""
    for path in sorted(folder.glob("*.csv")):
        match = _INDEX.fullmatch(path.name)
        if match:
            yield path, match["digest"]
