from pathlib import Path

import numpy as np
import pytest

from service.geometry import Affine
from service.records import Box, Fitted
from tests.support.parts import make_part
from training.data.batches import augment, balanced_order, epoch_batches
from training.data.cache import Part
from training.data.table import Record
from training.training_config import Augmentation, Training

NONE = Augmentation(flip=False, shift=0, zoom=0, gain=0, gamma=0)
LIGHT = Augmentation(flip=True, shift=0.05, zoom=0.1, gain=0.1, gamma=0.1)
TRAINING = Training(seed=5, epochs=3, patience=3, batch_size=4, learning_rate=1e-3)


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
    for images, labels in epoch_batches(part, 0, TRAINING, NONE):
        assert ((images[:, 0, 0, 0] < 0.17) == (labels == 1)).all()


def test_batches_depend_on_seed_and_epoch_only(part: Part) -> None:
    def pixels(epoch: int) -> np.ndarray:
        return np.concatenate([images for images, _ in epoch_batches(part, epoch, TRAINING, LIGHT)])

    assert (pixels(2) == pixels(2)).all()
    assert not np.array_equal(pixels(2), pixels(3))


def test_zero_augmentation_keeps_the_image() -> None:
    image = np.random.default_rng(0).random((16, 12, 1), dtype=np.float32)

    varied = augment(image, NONE, np.random.default_rng(0))

    assert varied == pytest.approx(image, abs=1e-6)


def test_half_of_the_draws_are_flipped() -> None:
    image = np.random.default_rng(0).random((16, 12, 1), dtype=np.float32)
    flip = Augmentation(flip=True, shift=0, zoom=0, gain=0, gamma=0)
    rng = np.random.default_rng(0)

    flipped = [np.allclose(augment(image, flip, rng), image[::-1], atol=1e-6) for _ in range(200)]

    assert 80 < sum(flipped) < 120


def test_augmentation_keeps_range_and_black() -> None:
    image = np.zeros((32, 24, 1), dtype=np.float32)
    image[8:24, :10] = 1
    rng = np.random.default_rng(1)

    for _ in range(50):
        varied = augment(image, LIGHT, rng)

        assert varied.dtype == np.float32
        assert 0 <= varied.min() <= varied.max() <= 1
        assert not varied[:, 16:].any()


def test_shift_is_at_most_its_share() -> None:
    image = np.zeros((40, 40, 1), dtype=np.float32)
    image[20, 20] = 1
    rng = np.random.default_rng(2)
    shift = Augmentation(flip=False, shift=0.1, zoom=0, gain=0, gamma=0)

    moves = []
    for _ in range(100):
        moved = augment(image, shift, rng)[..., 0]
        rows, columns = np.indices(moved.shape)
        moves.append(
            ((moved * rows).sum() / moved.sum() - 20, (moved * columns).sum() / moved.sum() - 20)
        )

    assert 3 < np.abs(moves).max() <= 4.05


def test_crop_moves_the_edges_of_the_box() -> None:
    image = np.zeros((60, 40, 1), dtype=np.float32)
    image[10, 0] = image[49, 0] = 1
    crop = Augmentation(flip=False, shift=0, zoom=0, crop=0.1, gain=0, gamma=0)
    rng = np.random.default_rng(3)

    tops, heights = [], []
    for _ in range(200):
        profile = augment(image, crop, rng)[:, 0, 0]
        upper, lower = (
            np.average(half, weights=profile[half]) for half in np.split(np.arange(60), 2)
        )
        tops.append(upper)
        heights.append(lower - upper)

    # The marks are 39 rows apart. The box is 0.8 to 1.2 times as high.
    assert 39 / 1.2 - 0.5 <= min(heights) < 36
    assert 42 < max(heights) <= 39 / 0.8 + 0.5
    assert np.std(tops) > 1
