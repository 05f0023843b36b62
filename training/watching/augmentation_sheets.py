"""Sheets of training images as the network gets them: varied, and in a batch."""

from collections.abc import Sequence
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from service.records import Floats
from training.config import Experiment
from training.data.augment import draw_variation, vary
from training.data.batches import epoch_batches
from training.data.cache import Part
from training.training_config import Augmentation
from training.watching.sheet import (
    LABELS,
    MUTED,
    RGB,
    TEXT,
    below,
    beside,
    coloured,
    framed,
    grey_tile,
    text_height,
    text_tile,
)
from training.watching.watched_examples import choose_examples

EXAMPLES = 4
VARIATIONS = 6
_IN_BATCH = 16
_PER_ROW = 8


def draw_variations(part: Part, experiment: Experiment) -> RGB:
    """Draw some training images, each beside random variations of it.

    The variations are drawn for this sheet: no batch of the training depends on them.
    """
    rng = np.random.default_rng(experiment.training.seed)
    rows = []
    for example in choose_examples(part, EXAMPLES):
        varied = [_varied(example.image, experiment.augmentation, rng) for _ in range(VARIATIONS)]
        tiles = [coloured(grey_tile(image)) for image in (example.image, *varied)]
        notes = [(example.record.view, TEXT), LABELS[example.record.cancer]]
        rows.append(beside([text_tile(notes, tiles[0].shape[0], 80), *tiles]))

    return _sheet("The image as it was prepared, then as it may be augmented", rows)


def draw_batch(part: Part, experiment: Experiment) -> RGB:
    """Draw the first images of the first batch of the first epoch, with their labels."""
    batches = epoch_batches(part, 0, experiment.training, experiment.augmentation)
    with closing(batches):
        images, labels, _ = next(batches)

    tiles = _labelled(images[:_IN_BATCH], labels[:_IN_BATCH])
    rows = [beside(tiles[start : start + _PER_ROW]) for start in range(0, len(tiles), _PER_ROW)]
    return _sheet("First images of the first batch", rows)


def _varied(image: Floats, augmentation: Augmentation, rng: np.random.Generator) -> Floats:
    """Return a random variation of an image [height, width, 1]."""
    varied = np.empty_like(image)
    vary(image[..., 0], draw_variation(augmentation, rng), varied[..., 0])
    return varied


def _labelled(images: Floats, labels: NDArray[np.int32]) -> list[RGB]:
    """Return the tiles of images, each over its label."""
    tiles = []
    for image, label in zip(images, labels, strict=True):
        tile = coloured(grey_tile(image))
        tiles.append(below([tile, text_tile([LABELS[label]], text_height(1), tile.shape[1])]))

    return tiles


def _sheet(title: str, rows: Sequence[RGB]) -> RGB:
    body = below(rows)
    return framed(below([text_tile([(title, MUTED)], text_height(1), body.shape[1]), body]))
