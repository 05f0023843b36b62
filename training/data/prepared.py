"""The parts of a split with their images in the cache."""

from dataclasses import dataclass

from training.config import ImageSource
from training.data.cache import Part, open_parts_of
from training.data.split import Split, require_both_classes


@dataclass(frozen=True, slots=True)
class PreparedSplit:
    """Images for fitting the weights, for choosing the model, and for the final evaluation."""

    train: Part
    validation: Part
    test: Part


def open_split(split: Split, source: ImageSource) -> PreparedSplit:
    """Open the three parts of a split.

    Raises:
        CacheError: images are not prepared.
        TableError: a part lacks a class, because all its images are unusable.
    """
    parts = PreparedSplit(*open_parts_of((split.train, split.validation, split.test), source))
    require_both_classes(Split(parts.train.records, parts.validation.records, parts.test.records))
    return parts
