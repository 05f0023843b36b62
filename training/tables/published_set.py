"""Images of a published set, as its reader hands them on to be written as a table."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from service.records import Laterality, Mask

DrawLesion = Callable[[], Mask | None]
"""Draws the lesions of an image in its source pixels; None if the set does not tell where."""


@dataclass(frozen=True, slots=True)
class SetImage:
    """One image of a set.

    `path` is relative to the set's root. `exam_id` and `fold` are empty if the set has none.
    `further`: other cells by column. `draw_lesion` draws the lesions that make the image positive.
    """

    patient_id: str
    image_id: str
    laterality: Laterality
    view: str
    cancer: bool
    path: str
    exam_id: str = ""
    fold: str = ""
    further: dict[str, str] = field(default_factory=dict)
    draw_lesion: DrawLesion | None = None


@dataclass(frozen=True, slots=True)
class PublishedSet:
    """Images of a set below `root`, and the numbers of rows left out, by reason."""

    root: Path
    images: tuple[SetImage, ...]
    left_out: Counter[str]
