"""What is asked of the model together is answered as if it had been asked alone."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from service.model import Bundle, FakeModel, Model
from service.records import Floats
from service.runtime.batching import BatchedModel
from service.runtime.scheduler import FairScheduler

TOLERANCE = 1e-5


def wanted() -> None:
    pass


class Slow:
    """A model whose first run is held up until all others wait for theirs."""

    def __init__(self, model: Model, turnstile: FairScheduler, others: int) -> None:
        self._model, self._turnstile, self._others = model, turnstile, others
        self._first = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def predict(self, images: Floats) -> Any:
        if not self._first.is_set():
            self._first.set()
            while len(self._turnstile._queues["predict"]) < self._others:
                threading.Event().wait(0.001)
        return self._model.predict(images)


def images_of(model: Model, count: int) -> Floats:
    return np.random.default_rng(3).random((count, *model.manifest.input_shape)).astype(np.float32)


def close(together: Any, alone: Any) -> None:
    peak = float(np.abs(alone).max())
    np.testing.assert_allclose(together, alone, rtol=0, atol=TOLERANCE * max(peak, 1e-30))


@pytest.mark.parametrize("kind", ["fake", "bundle"])
def test_predictions_that_are_joined_are_those_of_the_image_alone(
    kind: str, bundle: Bundle
) -> None:
    model: Model = bundle if kind == "bundle" else FakeModel()
    images, turnstile, batches = images_of(model, 7), FairScheduler(1, {"predict": 1.0}, 4), []
    slow = Slow(model, turnstile, len(images) - 1)
    shared = BatchedModel(slow, turnstile, "predict", wanted, lambda _, size: batches.append(size))
    with ThreadPoolExecutor(len(images)) as threads:
        found = list(threads.map(lambda image: shared.predict(image[None]), images))
    assert sorted(batches) == [1, 2, 4]
    for image, scores in zip(images, found, strict=True):
        alone = model.predict(image[None])
        assert np.abs(scores.probabilities - alone.probabilities).max() <= TOLERANCE
        close(scores.logits, alone.logits)
        close(scores.features, alone.features)


@pytest.mark.parametrize("kind", ["fake", "bundle"])
def test_every_kind_of_answer_is_split_as_it_was_joined(kind: str, bundle: Bundle) -> None:
    model: Model = bundle if kind == "bundle" else FakeModel()
    layer, images = model.manifest.default_layer, images_of(model, 5)
    classes = np.array([0, 1, 0, 1, 1], np.int32)

    def hold_up(*_: object) -> None:
        time.sleep(0.02)

    turnstile = FairScheduler(1, {"explain": 1.0}, 8)
    shared = BatchedModel(model, turnstile, "explain", wanted, hold_up)

    def ask(number: int) -> tuple[Any, Any, Any]:
        image, one = images[number : number + 1], classes[number : number + 1]
        return (
            shared.layer_gradients(layer, image, one),
            shared.activations(image)[layer],
            shared.input_gradients(image, one),
        )

    with ThreadPoolExecutor(5) as threads:
        found = list(threads.map(ask, range(5)))
    for number, (gradients, maps, inputs) in enumerate(found):
        image, one = images[number : number + 1], classes[number : number + 1]
        alone = model.layer_gradients(layer, image, one)
        close(gradients.maps, alone.maps)
        close(gradients.gradients, alone.gradients)
        close(gradients.scores.logits, alone.scores.logits)
        close(maps, model.activations(image)[layer])
        close(inputs, model.input_gradients(image, one))
