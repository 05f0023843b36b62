"""Writer of shards."""

import zlib
from collections.abc import Iterable
from pathlib import Path

from training.data.cache_files import PartialFile, write_text
from training.data.cache_shards import ShardRow, format_rows, next_number, shard_name
from training.data.prepare_workers import Outcome


def write_shard(folder: Path, outcomes: Iterable[Outcome]) -> None:
    """Write the outcomes as the next shard of a folder, in their order.

    Raises:
        CacheError: if the files cannot be written.
    """
    rows: list[ShardRow] = []
    with PartialFile(folder) as file:
        for outcome in outcomes:
            file.write(outcome.blob)
            rows.append(_row(outcome, rows[-1].offset + rows[-1].length if rows else 0))

        index = format_rows(rows)
        name = shard_name(next_number(folder), index)
        file.complete(folder / f"{name}.bin")

    write_text(folder / f"{name}.csv", index)


def _row(outcome: Outcome, offset: int) -> ShardRow:
    return ShardRow(
        *outcome.key,
        outcome.sha256,
        offset,
        len(outcome.blob),
        zlib.crc32(outcome.blob),
        outcome.error,
        outcome.message,
    )
