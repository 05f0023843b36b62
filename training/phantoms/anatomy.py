"""Outline of a breast in one view, chest wall on the left: skin, pectoral muscle and nipple."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from service.records import Mask

View = Literal["CC", "MLO"]
Density = Literal["A", "B", "C", "D"]
Profile = NDArray[np.float64]

DENSITIES: tuple[Density, ...] = ("A", "B", "C", "D")

# Size of the breast in units (see Anatomy).
_UNITS_HIGH = 256
_UNITS_WIDE = 192
# More rows than this show no more of tissue and findings, whose finest structures are near a unit.
_ROWS_OF_DETAIL = 800


@dataclass(frozen=True, slots=True)
class Body:
    """Traits that both breasts of a patient share.

    `density`: BI-RADS category. `size`: 0 smallest .. 1 largest.
    """

    density: Density = "B"
    size: float = 0.5


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Outline of one breast.

    `skin`, `muscle`: column of the skin and of the muscle edge in each row, float64 [rows], 0 where
    there is none. `nipple`: (x, y). `unit`: image pixels per pixel of a 256 x 192 picture of the
    breast alone. Sizes of structures are given in units, so that a phantom looks the same on every
    matrix.
    """

    skin: Profile
    muscle: Profile
    columns: int
    nipple: tuple[float, float]
    unit: float

    @property
    def rows(self) -> int:
        """Number of rows of the image."""
        return len(self.skin)

    @property
    def fineness(self) -> int:
        """Rows per row of the grid that holds all detail of tissue and findings, 1 or more.

        That grid has 800 rows or a few more. A smaller image is its own grid.
        """
        return max(1, self.rows // _ROWS_OF_DETAIL)

    def reduce(self, step: int) -> "Anatomy":
        """Return the same breast on the grid of every `step`-th row and column."""
        return Anatomy(
            skin=self.skin[::step] / step,
            muscle=self.muscle[::step] / step,
            columns=-(-self.columns // step),
            nipple=(self.nipple[0] / step, self.nipple[1] / step),
            unit=self.unit / step,
        )

    def breast(self) -> Mask:
        """Return the mask from the chest wall to the skin, including the muscle."""
        inside: Mask = np.arange(self.columns)[None, :] < self.skin[:, None]
        return inside

    def place(self, depth: float, across: float) -> tuple[float, float]:
        """Return the point (x, y) at a relative position in the breast.

        `depth`: 0 chest wall or muscle .. 1 skin. `across`: -1 top .. 1 bottom of the inner part of
        the breast, which reaches 75 units to both sides of the nipple.
        """
        y = float(np.clip(self.nipple[1] + across * 75 * self.unit, 0, self.rows - 1))
        muscle = self.muscle[int(y)]
        skin = self.skin[int(y)]
        return float(muscle + depth * (skin - muscle)), y


def sample_anatomy(
    rng: np.random.Generator, view: View, size: float, rows: int, columns: int
) -> Anatomy:
    """Draw a random outline of a breast of that size."""
    outline = _outline_cc if view == "CC" else _outline_mlo
    smooth = outline(rng, size, rows, columns)
    unit = max(np.count_nonzero(smooth) / _UNITS_HIGH, smooth.max() / _UNITS_WIDE)

    # The nipple is a small bump near the row where the breast is deepest.
    nipple_row = np.argmax(smooth) + rng.normal(0, 3 * unit)
    bump = rng.uniform(0, 5) * unit * np.exp(-(((np.arange(rows) - nipple_row) / (5 * unit)) ** 2))
    skin = smooth + bump * (smooth > 0)

    return Anatomy(
        skin=skin,
        muscle=np.zeros(rows) if view == "CC" else _muscle_edge(rng, skin),
        columns=columns,
        nipple=(float(skin[int(nipple_row)]), float(nipple_row)),
        unit=float(unit),
    )


def _outline_cc(rng: np.random.Generator, size: float, rows: int, columns: int) -> Profile:
    """Draw the outline in the CC view: a rounded, slightly asymmetric half disc."""
    height = rows * (0.58 + 0.34 * size)
    depth = min(height * rng.uniform(0.44, 0.6), 0.8 * columns)
    middle = rows / 2 + rng.uniform(-0.4, 0.4) * (rows - height)

    t = (np.arange(rows) - middle) / (height / 2)
    skewed = t + rng.uniform(-0.15, 0.15) * (1 - t**2)
    drop = np.clip(1 - np.abs(skewed) ** rng.uniform(1.9, 2.4), 0, None)
    profile: Profile = depth * (drop * (np.abs(t) < 1)) ** rng.uniform(0.48, 0.62)
    return profile


def _outline_mlo(rng: np.random.Generator, size: float, rows: int, columns: int) -> Profile:
    """Draw the outline in the MLO view.

    It hangs from the axilla at the top of the image and ends in the fold below the breast.
    """
    height = rows * (0.76 + 0.2 * size)
    depth = min(height * rng.uniform(0.42, 0.54), 0.72 * columns)

    t = np.clip(np.arange(rows) / height, 0, 1)
    hanging = np.sin(np.pi * t ** rng.uniform(1.35, 1.75)).clip(0) ** rng.uniform(0.8, 1.0)
    axilla = rng.uniform(0.5, 0.72) * np.clip(1 - t / 0.85, 0, 1) ** 2
    profile: Profile = depth * (hanging * (0.88 + 0.12 * t) + axilla) * (t < 1)
    return profile


def _muscle_edge(rng: np.random.Generator, skin: Profile) -> Profile:
    """Draw the slightly curved muscle edge, from the top of the image down to the chest wall."""
    t = np.clip(np.arange(len(skin)) / (len(skin) * rng.uniform(0.45, 0.75)), 0, 1)
    edge: Profile = np.minimum(
        skin[0] * rng.uniform(0.6, 0.9) * (1 - t ** rng.uniform(0.95, 1.3)), skin
    )
    return edge
