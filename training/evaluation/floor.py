"""The floor: what a network must beat. Logistic regressions on what needs no network."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from service.records import Mask
from training.evaluation.cells import is_numeric, named, numbers
from training.evaluation.statistics import Labels, Values

THUMBNAIL = 16
PENALTY = 0.01
"""scikit-learn's C, the inverse of the L2 penalty. It was fixed before any data were seen."""
MAX_ITERATIONS = 1000


class FloorKind(StrEnum):
    """What a floor knows of an image."""

    METADATA = "metadata"
    BRIGHTNESS = "brightness"
    THUMBNAIL = "thumbnail"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class FloorInput:
    """What all floors know of N images.

    `columns`: cells of the table, by column. `brightness` [N, 3]: mean and standard deviation of
    the breast's pixels, and the share of the grid that is breast. `thumbnails` [N, 256]: the image
    at 16 x 16.
    """

    columns: Mapping[str, Sequence[str]]
    brightness: Values
    thumbnails: Values


@dataclass(frozen=True, slots=True)
class _Column:
    """How the cells of one column become features. `names`: the values seen in training, if names.

    `mean`: of the numbers seen in training, which stands in for a missing one.
    """

    names: tuple[str, ...] = ()
    mean: float = 0.0

    def encode(self, cells: Sequence[str]) -> Values:
        """Return the features [N, d]. A name that training has not seen has zeros alone."""
        if self.names:
            same = np.array(named(cells))[:, None] == np.array(self.names)
            return np.asarray(same, dtype=np.float64)

        values = numbers(cells)
        absent = ~np.isfinite(values)
        return np.stack([np.where(absent, self.mean, values), absent], axis=1)


@dataclass(frozen=True, slots=True)
class Floor:
    """A fitted logistic regression."""

    kind: FloorKind
    columns: Mapping[str, _Column]
    regression: Pipeline

    def score(self, images: FloorInput) -> Values:
        """Return the probability of cancer of each image."""
        features = _features(self.kind, self.columns, images)
        return np.asarray(self.regression.predict_proba(features)[:, 1], dtype=np.float64)


def fit_floors(images: FloorInput, labels: Labels) -> dict[FloorKind, Floor]:
    """Fit every kind of floor to the images of the training part. Both classes are there.

    Without columns there is no floor on metadata.
    """
    columns = {name: _learn(name, cells) for name, cells in images.columns.items()}
    kinds = [kind for kind in FloorKind if columns or kind != FloorKind.METADATA]

    floors = {}
    for kind in kinds:
        regression = make_pipeline(
            StandardScaler(), LogisticRegression(C=PENALTY, max_iter=MAX_ITERATIONS)
        )
        regression.fit(_features(kind, columns, images), labels)
        floors[kind] = Floor(kind, columns, regression)
    return floors


def measure_pictures(
    batches: Iterable[tuple[NDArray[np.float32], Sequence[Mask]]],
) -> tuple[Values, Values]:
    """Return brightness [N, 3] and thumbnails [N, 256] of images that are read in batches.

    A batch has images [n, H, W, 1] on the model's grid, and the mask [H, W] of each breast.
    """
    brightness = []
    thumbnails = []
    for images, masks in batches:
        for image, mask in zip(images[..., 0], masks, strict=True):
            brightness.append(_brightness(image, mask))
            small = cv2.resize(image, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
            thumbnails.append(small.ravel())

    return np.array(brightness, np.float64), np.array(thumbnails, np.float64)


def _brightness(image: NDArray[np.float32], mask: Mask) -> tuple[float, float, float]:
    """Return mean, standard deviation and share of the breast, all 0 without a breast."""
    if not mask.any():
        return 0.0, 0.0, 0.0

    breast = image[mask].astype(np.float64)
    return float(breast.mean()), float(breast.std()), float(mask.mean())


def _learn(name: str, cells: Sequence[str]) -> _Column:
    if is_numeric(name, cells):
        return _Column(mean=float(np.nanmean(numbers(cells))))
    return _Column(names=tuple(sorted(set(named(cells)))))


def _features(kind: FloorKind, columns: Mapping[str, _Column], images: FloorInput) -> Values:
    """Return the features [N, d] that a kind of floor knows."""
    parts = {
        FloorKind.METADATA: [
            column.encode(images.columns[name]) for name, column in columns.items()
        ],
        FloorKind.BRIGHTNESS: [images.brightness],
        FloorKind.THUMBNAIL: [images.thumbnails],
    }
    if kind == FloorKind.ALL:
        return np.concatenate([part for each in parts.values() for part in each], axis=1)
    return np.concatenate(parts[kind], axis=1)
