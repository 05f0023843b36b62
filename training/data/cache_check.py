"""Check of the images in the cache against their checksums."""

import zlib
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from training.bars import bar
from training.data.cache_files import writing
from training.data.cache_shards import Key, Shard, read_shards, remove_shard


def remove_damaged(folder: Path, keys: AbstractSet[Key], workers: int) -> tuple[Path, ...]:
    """Remove damaged shards, and return the paths of the damaged files.

    Every shard is compared with its size, and those with an image of `keys` with their checksums.

    Raises:
        CacheError: if a file cannot be removed.
    """
    shards = read_shards(folder)
    asked = [shard for shard in shards.sound if any(row.key in keys for row in shard.rows)]

    with ThreadPoolExecutor(workers) as pool:
        results = pool.map(_is_sound, asked)
        shown = bar(results, "check", total=len(asked), unit="shard")
        rotten = [shard.path for shard, sound in zip(asked, shown, strict=True) if not sound]

    damaged = (*shards.damaged, *rotten)
    with writing(folder):
        for path in damaged:
            remove_shard(path)

    return damaged


def _is_sound(shard: Shard) -> bool:
    """Return whether every image of a shard has its checksum. They follow one another."""
    try:
        with shard.path.open("rb") as file:
            return all(zlib.crc32(file.read(row.length)) == row.checksum for row in shard.rows)
    except OSError:
        return False
