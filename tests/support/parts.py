"""Parts of images that a test has fitted by hand."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from service.records import Fitted
from training.data.cache import Part
from training.data.cache_blob import encode_fitted
from training.data.cache_shards import read_shards
from training.data.prepare_workers import Outcome
from training.data.shard_writer import write_shard
from training.data.table import Record


def make_part(folder: Path, records: Sequence[Record], images: Sequence[Fitted]) -> Part:
    """Write the images of the records as a shard in an empty folder, and return them as a part."""
    pairs = zip(records, images, strict=True)
    write_shard(folder, [Outcome(record.key, "-", encode_fitted(image)) for record, image in pairs])

    entries = read_shards(folder).entries()
    return Part(tuple(records), tuple(entries[record.key] for record in records))


def first(part: Part, count: int) -> Part:
    """Return the first images of a part."""
    return replace(part, records=part.records[:count], entries=part.entries[:count])
