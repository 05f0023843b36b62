"""The model and the readers as one request sees them: shared with the others, and not for longer than wanted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

from service.imaging import Read, Reading
from service.model import ClassIndices, Manifest, Model, Scorecard
from service.results import Domain, FitParameters, Floats, LayerGradients, Scores
from service.turnstile import Call, Turnstile

R = TypeVar("R")
Arrays = tuple[np.ndarray[Any, Any], ...]
Tell = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class SharedReader:
    """A `Read` that waits for its turn."""

    read: Read
    turnstile: Turnstile
    lane: str
    check: Callable[[], None]

    def __call__(self, data: bytes, parameters: FitParameters, picture_edge: float = 0) -> Reading:
        """The file, read and fitted; see `Read`."""

        def work(files: Sequence[bytes]) -> list[Reading]:
            return [self.read(file, parameters, picture_edge) for file in files]

        return self.turnstile.run(self.lane, Call("read", 1, data, work, self.check))


@dataclass(frozen=True, slots=True)
class SharedModel:
    """A `Model` that waits for its turn and then joins what others ask of it; `tell` is told each batch's size.

    What is computed for an image does not depend on the images beside it, beyond the rounding of float32.
    """

    model: Model
    turnstile: Turnstile
    lane: str
    check: Callable[[], None]
    tell: Tell

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

        return self._run(f"gradcam_{name}", gradients, images, classes)

    def input_gradients(self, images: Floats, classes: ClassIndices) -> Floats:
        """See `Model.input_gradients`."""
        return self._run("input_gradients", self.model.input_gradients, images, classes)

    def _run(self, signature: str, ask: Callable[..., R], *arrays: np.ndarray[Any, Any]) -> R:
        def work(asked: Sequence[Arrays]) -> list[R]:
            sizes = [len(each[0]) for each in asked]
            self.tell(signature, sum(sizes))
            if len(asked) == 1:
                return [ask(*asked[0])]
            return _split(ask(*map(np.concatenate, zip(*asked, strict=True))), sizes)

        kind = (id(self.model), signature)  # two versions may be in use while one takes over from the other
        return self.turnstile.run(self.lane, Call(kind, len(arrays[0]), arrays, work, self.check))


def _split(results: R, sizes: Sequence[int]) -> list[R]:
    ends = np.cumsum(sizes).tolist()
    return [_part(results, slice(end - size, end)) for end, size in zip(ends, sizes, strict=True)]


def _part(results: Any, images: slice) -> Any:
    """Those images' part of arrays, or of what holds arrays, whose first axis is the batch."""
    if isinstance(results, dict):
        return {name: _part(value, images) for name, value in results.items()}
    if is_dataclass(results) and not isinstance(results, type):
        return type(results)(*(_part(getattr(results, field.name), images) for field in fields(results)))
    return results[images]
