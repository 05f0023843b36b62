"""Decode and fit images in worker processes. One that is killed costs its image, not the rest."""

import hashlib
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing import parent_process
from pathlib import Path

import cv2

from service.errors import ImageError
from service.imaging import read
from service.records import FitParameters
from training.data.cache_blob import encode_fitted
from training.data.cache_shards import Key
from training.data.source_digests import Stamp
from training.errors import CacheError

KILLED = "WorkerKilled"
"""The error of an image whose worker process ended."""

_AHEAD = 4  # images in flight for each worker


@dataclass(frozen=True, slots=True)
class ImageJob:
    """An image file to decode and fit."""

    key: Key
    path: Path
    parameters: FitParameters


@dataclass(frozen=True, slots=True)
class Outcome:
    """The encoded image of a job, or the error and its message.

    `sha256`: digest of the image file. It is empty after an error that may not come again. `stamp`:
    the state of the file before it was read, if it was.
    """

    key: Key
    sha256: str = ""
    blob: bytes = b""
    error: str = ""
    message: str = ""
    stamp: Stamp | None = None


def prepare_image(job: ImageJob) -> Outcome:
    """Decode, fit and encode one image."""
    try:
        stamp = Stamp.of(job.path)
        data = job.path.read_bytes()
    except OSError as error:
        message = f"The image cannot be read: {error.strerror} ({job.path})"
        return Outcome(job.key, error=type(error).__name__, message=message)

    sha256 = hashlib.sha256(data).hexdigest()
    try:
        blob = encode_fitted(read(data, job.parameters).fitted)
    except ImageError as error:
        message = f"{error} ({job.path})"
        return Outcome(job.key, sha256, error=type(error).__name__, message=message, stamp=stamp)
    return Outcome(job.key, sha256, blob, stamp=stamp)


def outcomes(jobs: Sequence[ImageJob], workers: int) -> Generator[Outcome, None, None]:
    """Yield the outcome of every job, in their order.

    Raises:
        CacheError: if worker processes end before they get an image.
    """
    remaining = iter(jobs)
    waiting: deque[tuple[ImageJob, Future[Outcome]]] = deque()
    executor = _start(min(workers, len(jobs)))

    try:
        while True:
            for job in islice(remaining, _AHEAD * workers - len(waiting)):
                waiting.append((job, _submit(executor, job)))
            if not waiting:
                return

            if _lost(waiting[0][1]):
                executor.shutdown()
                yield from _one_by_one(waiting)
                waiting.clear()
                executor = _start(min(workers, len(jobs)))
            else:
                yield waiting.popleft()[1].result()
    finally:
        executor.shutdown(cancel_futures=True)


def _one_by_one(waiting: Sequence[tuple[ImageJob, Future[Outcome]]]) -> Iterator[Outcome]:
    """Yield the outcomes of the jobs in flight when a worker process ended.

    Those without an outcome are tried alone, so that the one that ends its worker is known.
    """
    executor = _start(1)
    try:
        for job, future in waiting:
            if not _lost(future):
                yield future.result()
                continue

            again = _submit(executor, job)
            if not _lost(again):
                yield again.result()
                continue

            yield _killed(job)
            executor.shutdown()
            executor = _start(1)
    finally:
        executor.shutdown(cancel_futures=True)


def _killed(job: ImageJob) -> Outcome:
    message = (
        f"The worker process ended while it read the image; too little memory is the usual cause "
        f"({job.path})"
    )
    return Outcome(job.key, error=KILLED, message=message)


def _start(workers: int) -> ProcessPoolExecutor:
    """Start worker processes, and wait until one of them answers."""
    # Spawn, because a fork of a process that has loaded TensorFlow may hang.
    executor = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=_begin_worker
    )
    try:
        executor.submit(os.getpid).result()
    except BrokenProcessPool as error:
        executor.shutdown()
        raise CacheError(
            "Worker processes end at once: check the memory that is free, or use fewer --workers."
        ) from error

    return executor


def _begin_worker() -> None:
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker process when its parent has ended, even if that was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _submit(executor: ProcessPoolExecutor, job: ImageJob) -> "Future[Outcome]":
    try:
        return executor.submit(prepare_image, job)
    except BrokenProcessPool as error:
        future: Future[Outcome] = Future()
        future.set_exception(error)
        return future


def _lost(future: "Future[Outcome]") -> bool:
    """Wait for a job, and return whether a worker process ended before it had an outcome."""
    return isinstance(future.exception(), BrokenProcessPool)
