"""Score images with a model and reader processes: the same on this machine and on a cluster.

Files are read in processes of their own, so that a file that crashes its decoder ends nothing else.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

from service.errors import OtherModel
from service.host import memory
from service.host.cores import usable_cores
from service.imaging import Limits, RunTask
from service.model import Model
from service.pipeline import SourceReader
from service.runtime.batch_limit import BatchLimit, batch_costs
from service.runtime.batching import BatchedModel, ScheduledReader
from service.runtime.memory_plan import model_calls, wanted_readers
from service.runtime.model_loader import load_model
from service.runtime.pass_time import PassTime
from service.runtime.readers import ReaderPool
from service.runtime.scheduler import FairScheduler
from service.runtime.scoring.file_scoring import FileScorer, ListedImage
from service.runtime.scoring.image_row import Row
from service.settings import Settings

_LANE = "score"
_AHEAD = 4
"""Images that are begun before the oldest one is complete, for each thread."""


@dataclass(frozen=True, slots=True)
class ScoringOrder:
    """The work on every image, as it is sent to other processes and machines.

    `settings`: name the model, and bound the readers. `digest`: of the model. `origin_key`: of the
    fingerprints. `regions`: also explain the positive class by Grad-CAM.
    """

    settings: Settings
    digest: str
    origin_key: bytes = field(repr=False)
    regions: bool


class ImageScorer:
    """Scores images in several threads, which share the readers and the batches of the model."""

    def __init__(self, order: ScoringOrder, model: Model, run_task: RunTask) -> None:
        settings = order.settings
        readers = wanted_readers(settings, usable_cores())
        read_scheduler = FairScheduler(readers, {_LANE: 1.0})
        model_scheduler = FairScheduler(
            model_calls(usable_cores()), {_LANE: 1.0}, settings.max_batch
        )

        reader = ScheduledReader(run_task, read_scheduler, _LANE, _always)
        limit = BatchLimit()
        limit.choose(batch_costs(model, settings.max_batch))
        batched = BatchedModel(model, model_scheduler, _LANE, _always, _ignore, PassTime(), limit)
        source = SourceReader(reader.run, 0, order.origin_key, with_header=False, order=None)
        self._score = FileScorer(batched, source, settings.max_upload_bytes, order.regions)

        # A thread waits for a reader or for the model. Those that wait for it fill its batch.
        self._threads = readers + settings.max_batch
        self._executor = ThreadPoolExecutor(self._threads, "mammolens-score")

    def score(self, images: Iterable[ListedImage]) -> Iterator[Row]:
        """Yield the row of each image, in order.

        Raises:
            OSError: the storage of a file fails.
        """
        remaining = iter(images)
        begun: deque[Future[Row]] = deque()
        try:
            while True:
                free = _AHEAD * self._threads - len(begun)
                begun += [
                    self._executor.submit(self._score, one) for one in islice(remaining, free)
                ]
                if not begun:
                    return
                yield begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()

    def close(self) -> None:
        """Wait until every thread has ended."""
        self._executor.shutdown(cancel_futures=True)


@contextmanager
def scoring(order: ScoringOrder) -> Iterator[ImageScorer]:
    """Load the model, start the readers, and yield a scorer that uses them.

    Raises:
        BundleError: the model cannot be loaded.
        OtherModel: it is another one than that of the order.
    """
    settings = order.settings
    # Threads would each keep what they have freed, and a long scoring would grow.
    memory.keep_freed()
    model = load_model(settings)
    memory.collect_after_load()
    if model.digest != order.digest:
        raise OtherModel(settings.model, order.digest, model.digest)

    readers = ReaderPool(
        wanted_readers(settings, usable_cores()),
        Limits(settings.max_pixels, settings.max_decode_seconds),
    )
    try:
        readers.wait_until_ready()
        scorer = ImageScorer(order, model, readers.run)
        try:
            yield scorer
        finally:
            scorer.close()
    finally:
        readers.close()


def _always() -> None:
    """Accept that a result is still wanted."""


def _ignore(signature: str, images: int) -> None:
    """Count no batch."""
