"""Batched calls of the model: each image gets the result that it would get alone."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from service.model import Bundle, FakeModel, Model
from service.records import Floats
from service.runtime.batch_limit import BatchLimit
from service.runtime.batching import BatchedModel
from service.runtime.pass_time import PassTime
from service.runtime.scheduler import FairScheduler

TOLERANCE = 1e-5


def still_wanted() -> None:
    pass


class BlockingModel:
    """Model whose first prediction blocks until `others` calls are queued behind it."""

    def __init__(self, model: Model, scheduler: FairScheduler, others: int) -> None:
        self._model = model
        self._scheduler = scheduler
        self._others = others
        self._first = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def predict(self, images: Floats) -> Any:
        if not self._first.is_set():
            self._first.set()
            while len(self._scheduler._queues["predict"]) < self._others:
                threading.Event().wait(0.001)

        return self._model.predict(images)


def random_images(model: Model, count: int) -> Floats:
    return np.random.default_rng(3).random((count, *model.manifest.input_shape)).astype(np.float32)


def assert_close(batched: Any, alone: Any) -> None:
    """Compare with a tolerance relative to the largest absolute value."""
    peak = float(np.abs(alone).max())
    np.testing.assert_allclose(batched, alone, rtol=0, atol=TOLERANCE * max(peak, 1e-30))


@pytest.mark.parametrize("kind", ["fake", "bundle"])
def test_batched_predictions_equal_single_predictions(kind: str, bundle: Bundle) -> None:
    model: Model = bundle if kind == "bundle" else FakeModel()
    images = random_images(model, 7)
    scheduler = FairScheduler(1, {"predict": 1.0}, 4)
    blocking = BlockingModel(model, scheduler, len(images) - 1)
    batches: list[int] = []
    batched = BatchedModel(
        blocking,
        scheduler,
        "predict",
        still_wanted,
        lambda _, size: batches.append(size),
        PassTime(),
        BatchLimit(),
    )

    with ThreadPoolExecutor(len(images)) as threads:
        results = list(threads.map(lambda image: batched.predict(image[None]), images))

    assert sorted(batches) == [1, 2, 4]
    for image, scores in zip(images, results, strict=True):
        alone = model.predict(image[None])
        assert np.abs(scores.probabilities - alone.probabilities).max() <= TOLERANCE
        assert_close(scores.logits, alone.logits)
        assert_close(scores.features, alone.features)


@pytest.mark.parametrize("kind", ["fake", "bundle"])
def test_every_signature_splits_its_batch_correctly(kind: str, bundle: Bundle) -> None:
    model: Model = bundle if kind == "bundle" else FakeModel()
    layer = model.manifest.default_layer
    images = random_images(model, 5)
    classes = np.array([0, 1, 0, 1, 1], np.int32)

    def delay(*_: object) -> None:
        time.sleep(0.02)

    scheduler = FairScheduler(1, {"explain": 1.0}, 8)
    batched = BatchedModel(
        model, scheduler, "explain", still_wanted, delay, PassTime(), BatchLimit()
    )

    def compute(number: int) -> tuple[Any, Any, Any]:
        image = images[number : number + 1]
        class_index = classes[number : number + 1]
        return (
            batched.layer_gradients(layer, image, class_index),
            batched.activations(image)[layer],
            batched.input_gradients(image, class_index),
        )

    with ThreadPoolExecutor(5) as threads:
        results = list(threads.map(compute, range(5)))

    for number, (gradients, maps, inputs) in enumerate(results):
        image = images[number : number + 1]
        class_index = classes[number : number + 1]
        alone = model.layer_gradients(layer, image, class_index)
        assert_close(gradients.maps, alone.maps)
        assert_close(gradients.gradients, alone.gradients)
        assert_close(gradients.scores.logits, alone.scores.logits)
        assert_close(maps, model.activations(image)[layer])
        assert_close(inputs, model.input_gradients(image, class_index))
