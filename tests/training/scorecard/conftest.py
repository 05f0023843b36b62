"""Part that is held in memory, and a sample of it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tqdm import tqdm

from service.records import Floats, Mask
from tests.support.array_part import ArrayPart
from training.data.table import Record
from training.scorecard.sample import Sample

HEIGHT, WIDTH = 128, 96
IMAGES = 24


def half_breasts(rng: np.random.Generator) -> tuple[Floats, Mask, NDArray[np.int32]]:
    """Return grey half discs with texture, breast masks and labels.

    Every second image is positive and has a bright blob in the breast.
    """
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    breast = (x / 60) ** 2 + ((y - 64) / 56) ** 2 < 1
    labels = np.arange(IMAGES, dtype=np.int32) % 2

    images = np.where(breast, 0.4 + rng.normal(0, 0.02, (IMAGES, HEIGHT, WIDTH)), 0)
    for image, label in zip(images, labels, strict=True):
        row = rng.integers(40, 90)
        column = rng.integers(10, 35)
        image[row : row + 3, column : column + 3] += 0.5 * label

    return (
        images.clip(0, 1).astype(np.float32)[..., None],
        np.repeat(breast[None], IMAGES, axis=0),
        labels,
    )


@pytest.fixture
def bar() -> Iterator["tqdm[Any]"]:
    """A bar that counts and shows nothing."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        yield tqdm(file=nowhere)


@pytest.fixture
def part() -> ArrayPart:
    """Six patients, each with two images of a breast with cancer and two of one without."""
    images, masks, labels = half_breasts(np.random.default_rng(8))
    records = tuple(
        Record(
            patient_id=f"patient-{index // 4}",
            image_id=str(index),
            laterality="R" if label else "L",
            view="CC",
            cancer=bool(label),
        )
        for index, label in enumerate(labels)
    )
    return ArrayPart(records, (), images, masks)


@pytest.fixture
def sample(part: ArrayPart) -> Sample:
    return Sample(part, np.arange(IMAGES))
