import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from service.geometry import Affine
from service.records import Box, Fitted, Floats
from tests.support.parts import make_part
from training.data.batches import (
    balanced_order,
    class_counts,
    class_weights,
    epoch_batches,
    steps_per_epoch,
)
from training.data.cache import Part
from training.data.table import Record
from training.errors import CacheError
from training.training_config import Augmentation, Training

NONE = Augmentation(flip=False, shift=0, zoom=0, gain=0, gamma=0)
EVERY = Augmentation(
    flip=True,
    shift=0.05,
    zoom=0.1,
    crop=0.05,
    rotate=10,
    gain=0.1,
    gamma=0.1,
    contrast=0.2,
    cutout=0.3,
)
TRAINING = Training(seed=5, epochs=3, patience=3, batch_size=4, learning_rate=1e-3)


def readers() -> list[threading.Thread]:
    """Return the threads that read ahead."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")]


@pytest.fixture
def part(tmp_path: Path) -> Part:
    """Ten images, the first three with cancer, each with a different uniform grey value."""
    records = [Record(str(i), str(i), "L", "CC", cancer=i < 3) for i in range(10)]

    fitted = []
    for index in range(10):
        image = np.full((8, 6, 1), (index + 1) / 20, dtype=np.float32)
        mask = image[..., 0] > 0
        box = Box(0, 0, 6, 8)
        fitted.append(Fitted(image, mask, Affine(), box, "left", mask, breast_to_source=Affine()))

    return make_part(tmp_path, records, fitted)


def test_every_epoch_is_balanced() -> None:
    """It has all images of the rarer class, and an equal number of different ones of the other."""
    labels = np.array([1, 0, 0, 1] + [0] * 16, dtype=np.int32)
    drawn: set[int] = set()

    for epoch in range(40):
        order = balanced_order(labels, np.random.default_rng(epoch)).tolist()
        assert len(order) == len(set(order)) == 4
        assert {0, 3} < set(order)
        drawn.update(order)

    assert drawn == set(range(20))


def test_balancing_works_if_negatives_are_rarer() -> None:
    labels = np.array([1] * 9 + [0] * 2, dtype=np.int32)
    order = balanced_order(labels, np.random.default_rng(0))

    assert np.bincount(labels[order]).tolist() == [2, 2]


def test_images_keep_their_labels(part: Part) -> None:
    for images, labels, _ in epoch_batches(part, 0, TRAINING, NONE):
        assert ((images[:, 0, 0, 0] < 0.17) == (labels == 1)).all()


def pixels(part: Part, epoch: int, augmentation: Augmentation = EVERY, workers: int = 1) -> Floats:
    """Return the images of an epoch in their order."""
    batches = epoch_batches(part, epoch, TRAINING, augmentation, workers)
    return np.concatenate([images for images, _, _ in batches])


def test_batches_depend_on_seed_and_epoch_only(part: Part) -> None:
    assert (pixels(part, 2) == pixels(part, 2)).all()
    assert not np.array_equal(pixels(part, 2), pixels(part, 3))


@pytest.mark.parametrize("workers", [2, 4])
def test_pixels_are_equal_with_more_workers(part: Part, workers: int) -> None:
    assert (pixels(part, 1, workers=workers) == pixels(part, 1)).all()


def test_ratio_adds_images_of_the_commoner_class(part: Part) -> None:
    wide = TRAINING.model_copy(update={"ratio": 2.0})

    batches = list(epoch_batches(part, 0, wide, NONE))

    labels = np.concatenate([labels for _, labels, _ in batches])
    assert np.bincount(labels).tolist() == [6, 3]
    assert len(batches) == steps_per_epoch(part.labels, wide) == 3


def test_both_classes_weigh_the_same(part: Part) -> None:
    wide = TRAINING.model_copy(update={"ratio": 2.0})

    batches = list(epoch_batches(part, 0, wide, NONE))

    labels = np.concatenate([labels for _, labels, _ in batches])
    weights = np.concatenate([weights for _, _, weights in batches])
    assert weights.dtype == np.float32
    assert weights[labels == 1] == pytest.approx(1.5)
    assert weights[labels == 0] == pytest.approx(0.75)


def test_equal_numbers_have_weights_of_one() -> None:
    assert class_weights(np.array([7, 7])).tolist() == [1, 1]


def test_ratio_ends_where_images_end() -> None:
    labels = np.array([1] * 3 + [0] * 7, dtype=np.int32)

    assert class_counts(labels, 5.0).tolist() == [7, 3]


@pytest.mark.parametrize("workers", [1, 3])
def test_damaged_image_is_told_to_the_caller(part: Part, workers: int) -> None:
    last = part.entries[2]
    with last.path.open("r+b") as file:
        file.seek(last.row.offset + last.row.length - 1)
        file.write(b"\xff")

    with pytest.raises(CacheError, match="is damaged"):
        pixels(part, 0, workers=workers)

    assert not readers()


def test_closing_early_ends_the_threads(part: Part) -> None:
    batches = epoch_batches(part, 0, TRAINING, EVERY, 3)
    next(batches)
    assert readers()

    batches.close()

    assert not readers()


def test_few_images_are_read_ahead(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a batch is in use, the next one and two images for each worker may be read."""
    images = Part.images
    read: list[int] = []

    def counted(self: Part, indices: Sequence[int]) -> Floats:
        read.extend(indices)
        return images(self, indices)

    monkeypatch.setattr(Part, "images", counted)
    single = TRAINING.model_copy(update={"batch_size": 1, "ratio": 3.0})
    batches = epoch_batches(part, 0, single, NONE, workers=1)

    next(batches)
    time.sleep(0.1)
    batches.close()

    # The image that tells the grid, the first batch, and one batch and two images ahead.
    assert len(read) <= 1 + 1 + 1 + 2
