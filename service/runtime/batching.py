"""The model and the readers as one request uses them: scheduled with other requests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

from service.errors import ReaderKilled
from service.imaging import FileTask, Reading, ReadTask, RunTask
from service.model import ClassIndices, Curves, Manifest, Model, Scorecard, gradcam_signature
from service.records import Domain, FitParameters, Floats, LayerGradients, Scores
from service.runtime.batch_limit import BatchLimit
from service.runtime.pass_time import PassTime
from service.runtime.scheduler import FairScheduler, Task
from service.runtime.shared_file import FileBytes

R = TypeVar("R")
Arrays = tuple[np.ndarray[Any, Any], ...]
OnBatch = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class ScheduledReader:
    """A `Read` whose calls are queued at the reader processes."""

    run_task: RunTask
    scheduler: FairScheduler
    lane: str
    check: Callable[[], None]

    def __call__(self, data: bytes, parameters: FitParameters, picture_edge: float = 0) -> Reading:
        """Read and fit the file; see `Read`, and `run` for a killed process."""
        return self.run(ReadTask(parameters, picture_edge), data)

    def run(self, task: FileTask[R], data: FileBytes) -> R:
        """Run the task on the file in a reader process.

        If the process is killed from outside, the task is run once more, in its turn and within its
        deadline.
        """
        try:
            return self._schedule(task, data)
        except ReaderKilled:
            return self._schedule(task, data)

    def _schedule(self, task: FileTask[R], data: FileBytes) -> R:
        def work(files: Sequence[FileBytes]) -> list[R]:
            return [self.run_task(task, file) for file in files]

        return self.scheduler.run(self.lane, Task("read", 1, data, work, self.check))


@dataclass(frozen=True, slots=True)
class BatchedModel:
    """A `Model` whose calls are queued and batched with those of other requests.

    A batch is not larger than the manifest and `batch_limit` allow. `on_batch` receives the
    signature and the number of images of each call of the model, and `pass_time` times it. The
    result for an image does not depend on the images beside it, beyond the rounding of float32.
    """

    model: Model
    scheduler: FairScheduler
    lane: str
    check: Callable[[], None]
    on_batch: OnBatch
    pass_time: PassTime
    batch_limit: BatchLimit

    @property
    def manifest(self) -> Manifest:
        """The model's manifest."""
        return self.model.manifest

    @property
    def digest(self) -> str:
        """The model's digest."""
        return self.model.digest

    @property
    def scorecard(self) -> Scorecard | None:
        """The model's scorecard."""
        return self.model.scorecard

    @property
    def curves(self) -> Curves | None:
        """The model's ROC curves and calibration."""
        return self.model.curves

    @property
    def domain(self) -> Domain | None:
        """The model's domain."""
        return self.model.domain

    def predict(self, images: Floats) -> Scores:
        """See `Model.predict`."""
        return self._run("predict", self.model.predict, images)

    def activations(self, images: Floats) -> dict[str, Floats]:
        """See `Model.activations`."""
        return self._run("activations", self.model.activations, images)

    def layer_gradients(self, layer: str, images: Floats, classes: ClassIndices) -> LayerGradients:
        """See `Model.layer_gradients`."""
        name = self.model.manifest.layer(layer).name

        def gradients(images: Floats, classes: ClassIndices) -> LayerGradients:
            return self.model.layer_gradients(name, images, classes)

        return self._run(gradcam_signature(name), gradients, images, classes)

    def input_gradients(self, images: Floats, classes: ClassIndices) -> Floats:
        """See `Model.input_gradients`."""
        return self._run("input_gradients", self.model.input_gradients, images, classes)

    def _run(self, signature: str, call: Callable[..., R], *arrays: np.ndarray[Any, Any]) -> R:
        def work(batch: Sequence[Arrays]) -> list[R]:
            sizes = [len(images) for images, *_ in batch]
            self.on_batch(signature, sum(sizes))
            joined = batch[0] if len(batch) == 1 else map(np.concatenate, zip(*batch, strict=True))

            with self.pass_time.time(sum(sizes)):
                results = call(*joined)
            return _split(results, sizes)

        # During a swap two versions are in use, and their calls must not share a batch.
        kind = (id(self.model), signature)
        limit = min(self.manifest.images_per_call, self.batch_limit.images)
        task = Task(kind, len(arrays[0]), arrays, work, self.check, limit)
        return self.scheduler.run(self.lane, task)


def _split(results: R, sizes: Sequence[int]) -> list[R]:
    """Split the results of a batch into those of its tasks."""
    ends = np.cumsum(sizes).tolist()
    return [_part(results, slice(end - size, end)) for end, size in zip(ends, sizes, strict=True)]


def _part(results: Any, images: slice) -> Any:
    """Slice arrays, or records and dictionaries of arrays, along their first axis, the batch."""
    if isinstance(results, dict):
        return {name: _part(value, images) for name, value in results.items()}
    if is_dataclass(results) and not isinstance(results, type):
        parts = (_part(getattr(results, field.name), images) for field in fields(results))
        return type(results)(*parts)
    return results[images]
