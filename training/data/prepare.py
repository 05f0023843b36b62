"""Decode and fit every image once, with the service's own code, in parallel processes."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path

from training.bars import bar
from training.config import ImageSource
from training.data.cache_check import remove_damaged
from training.data.cache_files import PARTIAL, readable_size, write_text, writing
from training.data.cache_shards import (
    FAILURES,
    FIT_FILE,
    Entry,
    Key,
    ShardRow,
    describe_fit,
    fit_folder,
    read_shards,
)
from training.data.prepare_workers import ImageJob, Outcome, outcomes
from training.data.shard_writer import write_shard
from training.data.source_digests import SOURCES, Stamp, remember, source_digests
from training.data.table import Record, require_images
from training.errors import CacheError

SHARD_IMAGES = 256
"""The largest number of images in a shard."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """Outcome of one run of `prepare`.

    `prepared`: number of images written now. `present`: number of images that were already in the
    cache. `failures`: the unusable images, which the file `report` lists with those of other
    experiments. `damaged`: files whose images were made again. `size`: bytes of the fit's `folder`.
    """

    prepared: int
    present: int
    failures: tuple[ShardRow, ...]
    report: Path
    damaged: tuple[Path, ...]
    folder: Path
    size: int

    @property
    def summary(self) -> str:
        """The outcome in lines for people."""
        lines = [f"{path} was damaged: its images were made again" for path in self.damaged]
        lines.append(
            f"{self.prepared} images prepared, {self.present} already in the cache, "
            f"{len(self.failures)} unusable{f': see {self.report}' if self.failures else ''}"
        )
        lines.append(f"{self.folder}: {readable_size(self.size)}")
        return "\n".join(lines)


def prepare(
    records: Sequence[Record], source: ImageSource, workers: int, *, replace: bool = False
) -> Preparation:
    """Write every image that is not in the cache yet, and report the unusable ones.

    Images whose file failed and has changed are tried again. `replace`: images that were prepared
    from a file with other content are prepared again.

    Raises:
        TableError: if image files are missing.
        CacheError: if images were prepared from other content, the cache cannot be written, or none
            of the images could be used.
    """
    require_images(records, source.data)
    folder = _open_folder(source)
    damaged = remove_damaged(folder, {record.key for record in records}, workers)

    jobs = _due(records, source, workers, replace=replace)
    _write(jobs, folder, source.data.cache / SOURCES, workers)

    entries = read_shards(folder).entries()
    failures = _failed(entries, [record.key for record in records])
    report = _report(entries, folder)
    if len(failures) == len(records):
        raise CacheError(
            f"None of the {len(records)} images could be used: {report} lists the reasons."
        )

    due = {job.key for job in jobs}
    prepared = len(due) - sum(row.key in due for row in failures)
    size = sum(path.stat().st_size for path in folder.iterdir() if path.suffix != PARTIAL)
    present = len(records) - len(failures) - prepared
    return Preparation(prepared, present, failures, report, damaged, folder, size)


def _open_folder(source: ImageSource) -> Path:
    folder = fit_folder(source)
    with writing(source.data.cache):
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / FIT_FILE).exists():
            write_text(folder / FIT_FILE, describe_fit(source.fit.parameters()))

    return folder


def _due(
    records: Sequence[Record], source: ImageSource, workers: int, *, replace: bool
) -> list[ImageJob]:
    """Return the images to prepare, in the order of the table.

    Raises:
        CacheError: if images were prepared from other content, and shall not be replaced.
    """
    folder = fit_folder(source)
    entries = read_shards(folder).entries()
    parameters = source.fit.parameters()
    jobs = [ImageJob(record.key, record.image, parameters) for record in records]
    known = [job.path for job in jobs if job.key in entries and entries[job.key].row.sha256]
    digests = source_digests(known, source.data.cache / SOURCES, workers)

    due = [
        job
        for job in jobs
        if job.key not in entries or entries[job.key].row.sha256 != digests.get(job.path)
    ]
    changed = [job for job in due if job.key in entries and not entries[job.key].row.error]
    if changed and not replace:
        raise CacheError(
            f"{len(changed)} images are in {folder} with another content, for example "
            f"{'/'.join(changed[0].key)} ({changed[0].path}): use --replace if their files have "
            "changed, or another `cache` if they are images of another data set."
        )

    return due


def _write(jobs: Sequence[ImageJob], folder: Path, memory: Path, workers: int) -> None:
    """Prepare the images and write them as shards, in their order.

    The digests of their files are added to the file `memory`.
    """
    if not jobs:
        return

    with closing(outcomes(jobs, workers)) as results:
        stream = iter(bar(results, "prepare", total=len(jobs), leave=True))
        for _ in range(0, len(jobs), SHARD_IMAGES):
            digests: list[tuple[Stamp, str]] = []
            write_shard(folder, _noted(islice(stream, SHARD_IMAGES), digests))
            remember(digests, memory)


def _noted(results: Iterable[Outcome], digests: list[tuple[Stamp, str]]) -> Iterator[Outcome]:
    """Yield the outcomes, and add the digests of their files to the list."""
    for outcome in results:
        if outcome.stamp is not None:
            digests.append((outcome.stamp, outcome.sha256))
        yield outcome


def _failed(entries: Mapping[Key, Entry], keys: Sequence[Key]) -> tuple[ShardRow, ...]:
    return tuple(entries[key].row for key in keys if entries[key].row.error)


def _report(entries: Mapping[Key, Entry], folder: Path) -> Path:
    """Write the list of all unusable images of the folder, and return its path."""
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("patient_id", "image_id", "error", "message"))
    writer.writerows((*row.key, row.error, row.message) for row in _failed(entries, list(entries)))

    write_text(folder / FAILURES, text.getvalue())
    return folder / FAILURES
