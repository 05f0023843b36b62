"""Tissue inside the outline, as grey values: parenchyma, vessels, pectoral muscle and skin."""

import cv2
import numpy as np
from numpy.typing import NDArray

from service.records import Floats
from training.phantoms.anatomy import Anatomy, Density
from training.phantoms.texture import power_law_field, strands, stretch

_FAT = 0.22
_GLAND_OVER_FAT = 0.31
# Subtracted from the drive towards gland: less for denser breasts.
_GLAND_THRESHOLD: dict[Density, float] = {"A": 1.25, "B": 0.75, "C": 0.2, "D": -0.5}
_VESSEL = 0.1


def render_tissue(rng: np.random.Generator, anatomy: Anatomy, density: Density) -> Floats:
    """Render the tissue, float32 [rows, columns], about 0..1 and zero outside the breast."""
    # The inside has no fine detail, so half the grid of detail is enough. The skin needs all rows.
    coarse = anatomy.reduce(2 * anatomy.fineness)
    y, x = np.mgrid[: coarse.rows, : coarse.columns].astype(np.float32)
    inside = np.maximum(
        _parenchyma(rng, coarse, density, x, y) + _vessels(rng, coarse, x.shape),
        _muscle(rng, coarse, x, y),
    )
    tissue = cv2.resize(inside, (anatomy.columns, anatomy.rows), interpolation=cv2.INTER_LINEAR)

    # The breast thins out towards the skin, which is a bright line. Beyond it is nothing.
    end = min(anatomy.columns, int(anatomy.skin.max()) + 2)
    from_skin = _units_from_skin(anatomy, end)
    rounding = np.float32(rng.uniform(10, 20))
    thickness = np.sqrt(1 - (1 - np.minimum(from_skin / rounding, 1)) ** 2)
    skin = np.float32(rng.uniform(0.04, 0.14)) * np.exp(-(((from_skin - 1) / np.float32(1.1)) ** 2))

    tissue[:, :end] *= thickness
    tissue[:, :end] += skin * (from_skin > 0)
    tissue[:, end:] = 0
    return np.asarray(tissue, np.float32)


def _units_from_skin(anatomy: Anatomy, end: int) -> Floats:
    """Return the distance of each pixel of the breast from the skin, in units, and 0 outside.

    It covers the columns before `end`, and the breast must not reach further.
    """
    breast = anatomy.breast()[:, :end]
    distance = cv2.distanceTransform(breast.astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(distance / np.float32(anatomy.unit), np.float32)


def _parenchyma(
    rng: np.random.Generator, anatomy: Anatomy, density: Density, x: Floats, y: Floats
) -> Floats:
    """Render fat, and glandular tissue in a cone behind the nipple, both crossed by strands."""
    rows, columns = x.shape
    nipple_x, nipple_y = anatomy.nipple
    unit = anatomy.unit

    # Where the breast is gland, 0..1.
    middle = float(nipple_y + rng.normal(0, 10) * unit)
    clouds = stretch(power_law_field(rng, 2.8), rows, columns)
    grain = stretch(power_law_field(rng, 2.2), rows, columns)
    drive = (
        2.2 * _gland_region(rng, anatomy, middle, x, y)
        - 1.2
        + 0.8 * clouds
        - _GLAND_THRESHOLD[density]
    )
    gland = 1 / (1 + np.exp(-2.2 * drive))

    # Fibres, stronger in some places than in others.
    fibres = strands(power_law_field(rng, 1.5), x, y, (nipple_x + 12 * unit, middle), 6 * unit)
    fibres *= np.clip(0.5 + 0.7 * stretch(power_law_field(rng, 2.4), rows, columns), 0, 1.2)

    fat = _FAT * (1 + 0.05 * clouds) + 0.06 * fibres + 0.012 * grain
    return np.asarray(fat + gland * (_GLAND_OVER_FAT + 0.05 * grain + 0.09 * fibres), np.float32)


def _gland_region(
    rng: np.random.Generator, anatomy: Anatomy, middle: float, x: Floats, y: Floats
) -> Floats:
    """Return how much each pixel belongs to the gland, -2 .. 1.

    The value is high behind the nipple, away from the skin and the chest wall.
    """
    nipple_x = anatomy.nipple[0]
    unit = anatomy.unit

    half_width = 12 * unit + rng.uniform(0.75, 1.05) * np.maximum(nipple_x - x, 0)
    in_cone = 1.6 * (1 - np.abs(y - np.float32(middle)) / half_width)
    off_chest = x / (nipple_x * rng.uniform(0.3, 0.6))
    off_skin = (anatomy.skin[:, None] - x) / (unit * rng.uniform(14, 22))

    region: Floats = np.clip(np.minimum(np.minimum(in_cone, off_chest), off_skin), -2, 1).astype(
        np.float32
    )
    return region


def _muscle(rng: np.random.Generator, anatomy: Anatomy, x: Floats, y: Floats) -> Floats:
    """Render the bright wedge of the pectoral muscle with its streaks, zero elsewhere."""
    if not anatomy.muscle.any():
        return np.zeros_like(x)

    edge = anatomy.muscle[:, None].astype(np.float32)
    share = np.clip((edge - x) / np.float32(2.5 * anatomy.unit), 0, 1)
    streaks = strands(power_law_field(rng, 2.4), x, y, (0.0, 1.2 * anatomy.rows), 12 * anatomy.unit)
    clouds = stretch(power_law_field(rng, 2.2), *x.shape)

    return np.asarray(
        share * (np.float32(rng.uniform(0.4, 0.54)) + 0.05 * streaks + 0.03 * clouds), np.float32
    )


def _vessels(rng: np.random.Generator, anatomy: Anatomy, shape: tuple[int, ...]) -> Floats:
    """Render a few winding vessels."""
    drawn = np.zeros(shape, np.uint8)
    for _ in range(rng.integers(2, 6)):
        cv2.polylines(
            drawn,
            [np.round(_vessel_course(rng, anatomy)).astype(np.int32)],
            isClosed=False,
            color=int(rng.integers(90, 255)),
            thickness=max(1, round(anatomy.unit * rng.uniform(0.8, 1.8))),
            lineType=cv2.LINE_AA,
        )

    smooth = cv2.GaussianBlur(drawn, (0, 0), 0.6 * anatomy.unit)
    return smooth.astype(np.float32) * np.float32(_VESSEL / 255)


def _vessel_course(rng: np.random.Generator, anatomy: Anatomy) -> NDArray[np.float64]:
    """Draw a winding line from the chest wall or muscle towards the skin.

    Return its points (x, y), float64 [n, 2].
    """
    t = np.linspace(0, 1, 24)
    start, end = rng.uniform(-0.9, 0.9, 2)
    depth = rng.uniform(0.0, 0.3) + t * rng.uniform(0.3, 0.55)
    winding = rng.uniform(0.02, 0.1) * np.sin(2 * np.pi * (rng.uniform(0.7, 2) * t + rng.random()))

    across = start + (end - start) * t + winding
    return np.array([anatomy.place(d, a) for d, a in zip(depth, across, strict=True)])
