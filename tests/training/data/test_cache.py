import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from service.geometry import Affine
from service.records import Box, Fitted
from tests.support.parts import make_part
from training.config import Experiment
from training.data.cache import open_part
from training.data.cache_blob import decode_mask, decode_pixels, decode_to_source, encode_fitted
from training.data.prepare import prepare
from training.data.table import Record, load_records
from training.errors import CacheError

EditData = Callable[..., Experiment]


def fitted(image: np.ndarray, mask: np.ndarray, to_source: Affine) -> Fitted:
    box = Box(0, 0, *image.shape[::-1])
    return Fitted(image[..., None], mask, to_source, box, "left", mask, to_source)


@pytest.mark.parametrize("shape", [(8, 6), (17, 33), (256, 192)])
def test_encoded_image_keeps_12_bits(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    levels = rng.integers(0, 4096, shape)
    mask = rng.random(shape) < 0.5
    to_source = Affine(-2.1, 1 / 3, 0.1, -7e-9)

    blob = encode_fitted(fitted((levels / 4095).astype(np.float32), mask, to_source))

    assert np.array_equal(decode_pixels(blob), levels)
    assert np.array_equal(decode_mask(blob), mask)
    assert decode_to_source(blob) == to_source


def test_breast_takes_less_than_a_byte_a_pixel() -> None:
    y, x = np.mgrid[:256, :192]
    mask = (x / 110) ** 2 + ((y - 128) / 100) ** 2 < 1
    texture = 0.5 + 0.1 * np.sin(x / 9) * np.cos(y / 13) + 0.001 * (x * y % 7)

    blob = encode_fitted(fitted(np.where(mask, texture, 0).astype(np.float32), mask, Affine()))

    assert len(blob) < mask.size


@pytest.mark.usefixtures("in_process")
def test_cache_is_read_without_the_sources(
    experiment: Experiment, edit_data: EditData, tmp_path: Path
) -> None:
    """It is copied to another place, with other times, and the images are gone."""
    records = load_records(experiment)
    prepare(records, experiment, workers=1)
    before = open_part(records, experiment)
    pixels = before.images(range(6))
    copied = shutil.copytree(tmp_path / "cache", tmp_path / "copy", copy_function=shutil.copyfile)
    shutil.rmtree(tmp_path / "cache")
    shutil.rmtree(tmp_path / "images")
    elsewhere = edit_data(experiment, cache=copied, images="gone/{patient_id}/{image_id}.dcm")

    part = open_part(records, elsewhere)

    assert np.array_equal(part.images(range(6)), pixels)
    assert part.digest == before.digest


@pytest.mark.usefixtures("in_process")
def test_images_of_another_fit_are_not_used(experiment: Experiment) -> None:
    records = load_records(experiment)
    prepare(records, experiment, workers=1)
    wider = experiment.model_copy(
        update={"fit": experiment.fit.model_copy(update={"margin": 0.05})}
    )

    with pytest.raises(CacheError, match=r"6 images .*p0/0L.*training prepare"):
        open_part(records, wider)


@pytest.mark.usefixtures("in_process")
def test_images_of_another_version_are_not_used(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = load_records(experiment)
    prepare(records, experiment, workers=1)
    monkeypatch.setattr("training.data.cache_shards.IMAGING_VERSION", 0)

    with pytest.raises(CacheError, match="not prepared"):
        open_part(records, experiment)


@pytest.mark.usefixtures("in_process")
def test_digest_is_of_files_in_any_order(experiment: Experiment) -> None:
    records = load_records(experiment)
    prepare(records, experiment, workers=1)
    facts = sorted(
        (
            record.patient_id,
            record.image_id,
            hashlib.sha256(record.image.read_bytes()).hexdigest(),
        )
        for record in records
    )

    digests = {open_part(order, experiment).digest for order in (records, records[::-1])}

    assert digests == {hashlib.sha256(repr(facts).encode()).hexdigest()}
    assert open_part(records[:3], experiment).digest not in digests


def test_images_come_in_the_order_asked(tmp_path: Path) -> None:
    shape = (16, 12)
    images = [
        fitted(np.full(shape, index / 10, np.float32), np.ones(shape, bool), Affine(index + 1))
        for index in range(5)
    ]
    records = [Record("p", str(index), "L", "CC", cancer=False) for index in range(5)]

    part = make_part(tmp_path, records, images)

    pixels = part.images(np.array([3, 0, 3]))
    assert pixels.dtype == np.float32
    assert pixels.shape == (3, 16, 12, 1)
    assert pixels[:, 5, 5, 0] == pytest.approx([0.3, 0, 0.3], abs=0.5 / 4095)
    assert part.to_source(4) == Affine(5)
