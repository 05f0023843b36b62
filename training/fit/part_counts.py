"""Counts of the images, patients and cancers of a part, and their table."""

from collections.abc import Sequence
from dataclasses import dataclass

from training.data.table import Record


@dataclass(frozen=True, slots=True)
class PartCounts:
    """Counts of the images of a part that can be used.

    `cancers`: images with cancer. `dropped`: images that `prepare` reported as unusable, which are
    not in the other counts.
    """

    name: str
    images: int
    patients: int
    cancers: int
    dropped: int


def count_part(name: str, records: Sequence[Record], dropped: int) -> PartCounts:
    """Count the records of a part. `dropped`: number of images that are missing in them."""
    patients = {record.patient_id for record in records}
    cancers = sum(record.cancer for record in records)
    return PartCounts(name, len(records), len(patients), cancers, dropped)


def part_table(parts: Sequence[PartCounts]) -> str:
    """Return the counts as a table, with a warning below it if images were dropped."""
    lines = [f"{'part':<12}{'images':>9}{'patients':>10}{'cancers':>9}{'dropped':>9}"]
    lines += [
        f"{part.name:<12}{part.images:>9}{part.patients:>10}{part.cancers:>9}{part.dropped:>9}"
        for part in parts
    ]

    lost = sum(part.dropped for part in parts)
    if lost:
        were = "image was" if lost == 1 else "images were"
        lines.append(
            f"warning: {lost} {were} dropped as unusable: failures.csv in the cache says why"
        )
    return "\n".join(lines)
