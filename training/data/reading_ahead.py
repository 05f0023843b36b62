"""Batches of images that threads fill ahead of their use."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice

import cv2
import numpy as np

from service.records import Floats

Fill = Callable[[Floats], None]
"""Writes an image into an array [height, width]."""

_Job = Callable[[], Floats | None]

_WAITING = 2
"""Images for each worker that may wait, beside those of the next batch."""


def filled_batches(
    fills: Iterable[Fill], size: int, grid: tuple[int, int], workers: int
) -> Generator[Floats, None, None]:
    """Yield images [size, height, width, 1] in the order of their `fills`. The last may be fewer.

    `workers` threads fill the next batch while one is in use, and two more images each. `fills` is
    read in the caller's thread. OpenCV uses one thread in each worker from then on. Closing the
    batches early ends the threads.

    Raises:
        Exception: that of a fill, in place of its batch.
    """
    remaining = _jobs(fills, size, grid)
    waiting: deque[Future[Floats | None]] = deque()
    ahead = size + _WAITING * workers

    executor = ThreadPoolExecutor(workers, "read-ahead", partial(cv2.setNumThreads, 1))
    try:
        while True:
            waiting.extend(executor.submit(job) for job in islice(remaining, ahead - len(waiting)))
            if not waiting:
                return

            batch = waiting.popleft().result()
            if batch is not None:
                yield batch
    finally:
        executor.shutdown(cancel_futures=True)


def _jobs(fills: Iterable[Fill], size: int, grid: tuple[int, int]) -> Iterator[_Job]:
    """Yield a job for each image. That of a batch's last image returns the batch."""
    remaining = iter(fills)
    while batch := list(islice(remaining, size)):
        images = np.empty((len(batch), *grid, 1), np.float32)
        for row, fill in enumerate(batch):
            yield partial(_fill_row, fill, images, row)


def _fill_row(fill: Fill, images: Floats, row: int) -> Floats | None:
    """Fill a row of a batch, and return the batch if it is the last row."""
    fill(images[row, ..., 0])
    return images if row == len(images) - 1 else None
