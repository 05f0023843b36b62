"""Writer of shards."""

import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from training.data.cache_files import flush, partial_file, write_text
from training.data.cache_shards import Row, format_rows, next_number, shard_name
from training.data.prepare_workers import Outcome


def write_shard(folder: Path, outcomes: Iterable[Outcome]) -> tuple[Row, ...]:
    """Write the outcomes as the next shard of a folder, in their order, and return its rows.

    Raises:
        CacheError: if the files cannot be written.
    """
    with partial_file(folder) as (path, file):
        rows = tuple(_append(outcome, file) for outcome in outcomes)
        flush(file)

        index = format_rows(rows)
        name = shard_name(next_number(folder), index)
        path.replace(folder / f"{name}.bin")

    write_text(folder / f"{name}.csv", index)
    return rows


def _append(outcome: Outcome, file: BinaryIO) -> Row:
    offset = file.tell()
    file.write(outcome.blob)

    return Row(
        *outcome.key,
        outcome.sha256,
        offset,
        len(outcome.blob),
        zlib.crc32(outcome.blob),
        outcome.error,
        outcome.message,
    )
