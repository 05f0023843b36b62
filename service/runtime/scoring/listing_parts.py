"""Parts of a listing: as many images in a row as are scored, and written, together."""

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa

_MAX_IMAGES = 512
_MIN_IMAGES = 16
_PARTS = 64
"""Parts of a small archive: enough to share them out, and to lose little by an interruption."""

ScoredPart = tuple[int, pa.Table]
"""The number of a part, and the rows of its images in order."""


@dataclass(frozen=True, slots=True)
class ListingPart:
    """A part and its images, a slice of the listing."""

    number: int
    images: pa.Table


def images_of_a_part(images: int) -> int:
    """Return the number of images in a part of an archive with so many."""
    return max(_MIN_IMAGES, min(_MAX_IMAGES, images // _PARTS))


def count_parts(images: int, size: int) -> int:
    """Return the number of parts with `size` images, the last one perhaps with fewer."""
    return -(-images // size)


def divide(listing: pa.Table, size: int, done: Collection[int]) -> list[ListingPart]:
    """Return the parts of the listing that are not done."""
    return [
        ListingPart(number, listing.slice(number * size, size))
        for number in range(count_parts(listing.num_rows, size))
        if number not in done
    ]
