"""The outline of a breast in one view, chest wall on the left: skin, pectoral muscle and nipple."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from service.records import Mask

View = Literal["CC", "MLO"]
Density = Literal["A", "B", "C", "D"]
Profile = NDArray[np.float64]

DENSITIES: tuple[Density, ...] = ("A", "B", "C", "D")

_UNITS_HIGH, _UNITS_WIDE = 256, 192


@dataclass(frozen=True, slots=True)
class Body:
    """What both breasts of a woman share: BI-RADS density, and size from 0, the smallest, to 1, the largest."""

    density: Density = "B"
    size: float = 0.5


@dataclass(frozen=True, slots=True)
class Anatomy:
    """In each row the columns of skin and of muscle edge, float64 [rows], 0 where there is none.

    `nipple` is (x, y). `unit`: the pixels that one pixel of a 256 x 192 picture of the breast alone would span. Sizes
    of structures are given in it, so that a phantom looks the same on every matrix.
    """

    skin: Profile
    muscle: Profile
    columns: int
    nipple: tuple[float, float]
    unit: float

    @property
    def rows(self) -> int:
        """Rows of the image."""
        return len(self.skin)

    def breast(self) -> Mask:
        """Everything from the chest wall to the skin, the muscle included."""
        inside: Mask = np.arange(self.columns)[None, :] < self.skin[:, None]
        return inside

    def place(self, depth: float, across: float) -> tuple[float, float]:
        """The point (x, y) at `depth`, 0 chest wall or muscle .. 1 skin, and `across`, -1 .. 1 from top to bottom.

        `across` spans the inner part of the breast, 75 units to both sides of the nipple.
        """
        y = float(np.clip(self.nipple[1] + across * 75 * self.unit, 0, self.rows - 1))
        muscle, skin = self.muscle[int(y)], self.skin[int(y)]
        return float(muscle + depth * (skin - muscle)), y


def sample_anatomy(
    rng: np.random.Generator, view: View, size: float, rows: int, columns: int
) -> Anatomy:
    """A random outline of a breast of that size."""
    outline = _outline_cc if view == "CC" else _outline_mlo
    smooth = outline(rng, size, rows, columns)
    unit = max(np.count_nonzero(smooth) / _UNITS_HIGH, smooth.max() / _UNITS_WIDE)
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
    """A rounded half disc, a little lopsided."""
    height = rows * (0.58 + 0.34 * size)
    depth = min(height * rng.uniform(0.44, 0.6), 0.8 * columns)
    middle = rows / 2 + rng.uniform(-0.4, 0.4) * (rows - height)
    t = (np.arange(rows) - middle) / (height / 2)
    lopsided = t + rng.uniform(-0.15, 0.15) * (1 - t**2)
    drop = np.clip(1 - np.abs(lopsided) ** rng.uniform(1.9, 2.4), 0, None)
    profile: Profile = depth * (drop * (np.abs(t) < 1)) ** rng.uniform(0.48, 0.62)
    return profile


def _outline_mlo(rng: np.random.Generator, size: float, rows: int, columns: int) -> Profile:
    """A drop that hangs from the axilla at the image's top and ends in the fold below the breast."""
    height = rows * (0.76 + 0.2 * size)
    depth = min(height * rng.uniform(0.42, 0.54), 0.72 * columns)
    t = np.clip(np.arange(rows) / height, 0, 1)
    hanging = np.sin(np.pi * t ** rng.uniform(1.35, 1.75)).clip(0) ** rng.uniform(0.8, 1.0)
    axilla = rng.uniform(0.5, 0.72) * np.clip(1 - t / 0.85, 0, 1) ** 2
    profile: Profile = depth * (hanging * (0.88 + 0.12 * t) + axilla) * (t < 1)
    return profile


def _muscle_edge(rng: np.random.Generator, skin: Profile) -> Profile:
    """The slightly bowed edge of the pectoral muscle, from the image's top down to the chest wall."""
    t = np.clip(np.arange(len(skin)) / (len(skin) * rng.uniform(0.45, 0.75)), 0, 1)
    edge: Profile = np.minimum(
        skin[0] * rng.uniform(0.6, 0.9) * (1 - t ** rng.uniform(0.95, 1.3)), skin
    )
    return edge
