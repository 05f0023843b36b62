from pathlib import Path

import keras
import numpy as np
import pytest

from service.geometry import Affine
from service.records import Box, Fitted, Floats
from tests.support.parts import make_part
from training.data.cache import Part
from training.data.table import Record
from training.errors import CacheError
from training.fit.prediction import predict, prediction_batch

IMAGES = 7


def network(filters: int) -> keras.Model:
    """Return a network whose outputs are the mean of an image and its double.

    Its largest map has that many filters on the grid of 8 x 6.
    """
    inputs = keras.Input((8, 6, 1))
    maps = keras.layers.Conv2D(filters, 1)(inputs)
    black = keras.layers.Conv2D(1, 1, kernel_initializer="zeros")(maps)
    mean = keras.layers.GlobalAveragePooling2D()(keras.layers.Add()([inputs, black]))
    double = keras.layers.Rescaling(2.0)(mean)
    return keras.Model(inputs, keras.layers.Concatenate()([mean, double]))


@pytest.fixture
def part(tmp_path: Path) -> Part:
    """Seven images, each with another uniform grey value."""
    records = [Record(str(i), str(i), "L", "CC", cancer=i < 3) for i in range(IMAGES)]
    mask = np.ones((8, 6), np.bool_)
    box = Box(0, 0, 6, 8)
    images = [np.full((8, 6, 1), (i + 1) / 10, np.float32) for i in range(IMAGES)]
    fitted = [
        Fitted(image, mask, Affine(), box, "left", mask, breast_to_source=Affine())
        for image in images
    ]
    return make_part(tmp_path, records, fitted)


def expected() -> Floats:
    """Return the outputs of the network: each grey value and its double."""
    return np.outer(np.arange(1, IMAGES + 1) / 10, [1, 2]).astype(np.float32)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("limit", [64, 4, 1])
def test_outputs_are_in_the_order_of_images(
    part: Part, workers: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.fit.prediction.MAX_BATCH", limit)

    outputs = predict(network(1), part, workers)

    assert outputs == pytest.approx(expected(), abs=3e-4)
    assert outputs.dtype == np.float32


def test_all_batches_have_the_same_size(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven images, at most three in a batch: 3 + 3 + 1, and the last is filled up."""
    monkeypatch.setattr("training.fit.prediction.MAX_BATCH", 3)
    model = network(1)
    sizes = []
    predicted = model.predict_on_batch

    def noting(images: Floats) -> Floats:
        sizes.append(len(images))
        outputs: Floats = predicted(images)
        return outputs

    monkeypatch.setattr(model, "predict_on_batch", noting)

    outputs = predict(model, part)

    assert sizes == [3, 3, 3]
    assert len(outputs) == IMAGES


def test_batch_is_bounded_by_the_largest_map(monkeypatch: pytest.MonkeyPatch) -> None:
    """A map of 8 x 6 pixels and 10 filters has 1920 bytes."""
    monkeypatch.setattr("training.fit.prediction.MAX_MAP_BYTES", 5 * 1920 + 1)

    assert prediction_batch(network(10)) == 5
    assert prediction_batch(network(100)) == 1
    assert prediction_batch(network(1)) == 50


def test_small_grids_have_batches_of_64() -> None:
    assert prediction_batch(network(10)) == 64


def test_damaged_image_is_told(part: Part) -> None:
    last = part.entries[-1]
    with last.path.open("r+b") as file:
        file.seek(last.row.offset + last.row.length - 1)
        file.write(b"\xff")

    with pytest.raises(CacheError, match="is damaged"):
        predict(network(1), part)
