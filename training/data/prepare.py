"""Decode and fit every image once, with the service's own code, in parallel processes."""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
from tqdm import tqdm

from service.errors import ImageError
from service.imaging import read
from service.records import FitParameters
from training.config import ImageSource
from training.data.cache import Failure, cached_path, write_failures, write_fitted
from training.data.table import Record, require_images
from training.errors import CacheError


@dataclass(frozen=True, slots=True)
class Preparation:
    """Outcome of one run of `prepare`.

    `prepared`: number of images written now. `present`: number of images that were already in the
    cache. `failures`: the unusable images, which are listed in the file `report`.
    """

    prepared: int
    present: int
    failures: tuple[Failure, ...]
    report: Path


@dataclass(frozen=True, slots=True)
class _Job:
    image_id: str
    source: Path
    target: Path
    parameters: FitParameters


def prepare(records: Sequence[Record], source: ImageSource, workers: int) -> Preparation:
    """Write every image that is not in the cache yet, and report the unusable ones.

    Raises:
        TableError: if image files are missing.
        CacheError: if none of the images could be used.
    """
    require_images(records, source.data)
    source.data.cache.mkdir(parents=True, exist_ok=True)

    parameters = source.fit.parameters()
    jobs = [
        _Job(record.image_id, record.image, target, parameters)
        for record in records
        if not (target := cached_path(record, source)).exists()
    ]
    failures = tuple(failure for failure in _run(jobs, workers) if failure is not None)

    report = write_failures(source.data.cache, failures)
    if len(failures) == len(records):
        raise CacheError(
            f"None of the {len(records)} images could be used: {report} lists the reasons."
        )

    return Preparation(len(jobs) - len(failures), len(records) - len(jobs), failures, report)


def _run(jobs: Sequence[_Job], workers: int) -> list[Failure | None]:
    if not jobs:
        return []

    # Spawn, because a fork of a process that has loaded TensorFlow may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        min(workers, len(jobs)), mp_context=context, initializer=_use_one_thread
    ) as pool:
        return list(
            tqdm(
                pool.map(_prepare_image, jobs, chunksize=4),
                total=len(jobs),
                desc="prepare",
                unit="image",
            )
        )


def _use_one_thread() -> None:
    cv2.setNumThreads(1)


def _prepare_image(job: _Job) -> Failure | None:
    """Write one image to the cache. Return None, or the failure of an unusable image."""
    try:
        write_fitted(job.target, read(job.source.read_bytes(), job.parameters).fitted)
    except ImageError as error:
        return Failure(job.image_id, type(error).__name__, str(error))
    return None
