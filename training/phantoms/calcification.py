"""Calcifications: fine clustered, coarse and vascular. Lengths are in units (see Anatomy)."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from service.records import Floats, Mask

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Grains:
    """Bright dots: centres (x, y) [n, 2], radii [n] and attenuations [n]."""

    centres: Points
    radii: NDArray[np.float64]
    attenuations: NDArray[np.float64]

    def draw(self, x: Floats, y: Floats) -> Floats:
        """Draw the dots at the points (x, y). Where dots overlap, the brightest counts."""
        drawn = np.zeros_like(x)
        for (centre_x, centre_y), radius, attenuation in zip(
            self.centres, self.radii, self.attenuations, strict=True
        ):
            squared = (
                (x - np.float32(centre_x)) ** 2 + (y - np.float32(centre_y)) ** 2
            ) / np.float32(radius**2)
            # Large dots are flat inside and steep at the rim.
            profile = np.exp(-(squared**2) if radius > 1 else -squared)
            drawn = np.maximum(drawn, np.float32(attenuation) * profile)
        return drawn


def draw_micro(
    rng: np.random.Generator, x: Floats, y: Floats, conspicuity: float, size: float
) -> tuple[Floats, Mask]:
    """Draw a cluster of fine grains of uneven brightness. The mask is their hull plus a margin."""
    count = int(rng.integers(9, 16) + 9 * size)
    turn = rng.uniform(0, 2 * np.pi, count)
    spread = (6.0 + 6.0 * size) * np.sqrt(rng.uniform(0.02, 1, count))
    centres = np.c_[spread * np.cos(turn), rng.uniform(0.6, 1.0) * spread * np.sin(turn)]
    attenuations = _attenuation(conspicuity) * rng.uniform(0.6, 1.15, count)

    grains = _Grains(centres, rng.uniform(0.7, 1.0, count), attenuations)
    return grains.draw(x, y), _grown_hull(x, y, centres, margin=2.0)


def draw_coarse(
    rng: np.random.Generator, x: Floats, y: Floats, conspicuity: float, size: float
) -> tuple[Floats, Mask]:
    """Draw one to three large calcifications, each of a few lobes (popcorn-like)."""
    lobes = np.repeat(rng.uniform(-12, 12, (rng.integers(1, 4), 2)), 3, axis=0)
    radius = 1.6 + 2.2 * size * rng.uniform(0.6, 1)
    centres = rng.normal(lobes, 0.45 * radius)
    attenuations = _attenuation(conspicuity) * rng.uniform(0.9, 1.15, len(lobes))

    drawn = _Grains(centres, radius * rng.uniform(0.5, 1, len(lobes)), attenuations).draw(x, y)
    return drawn, drawn > 0.3 * _attenuation(conspicuity)


def draw_vascular(
    rng: np.random.Generator, x: Floats, y: Floats, conspicuity: float, size: float
) -> tuple[Floats, Mask]:
    """Draw the two broken parallel lines of a calcified artery."""
    turn = rng.uniform(0, np.pi)
    bend = rng.uniform(-0.012, 0.012)
    half_length = 14.0 + 12.0 * size

    # Two bent rows of dots, turned by a random angle.
    steps = np.arange(-half_length, half_length, 0.8)
    along, side = (grid.ravel() for grid in np.meshgrid(steps, (-1.3, 1.3)))
    across = side + bend * along**2
    centres = np.c_[
        along * np.cos(turn) - across * np.sin(turn), along * np.sin(turn) + across * np.cos(turn)
    ]

    # Gaps: some of the dots are left out.
    attenuations = 0.5 * _attenuation(conspicuity) * rng.uniform(0.7, 1, len(centres))
    calcified = rng.random(len(centres)) < rng.uniform(0.75, 0.95)
    grains = _Grains(centres[calcified], np.full(calcified.sum(), 0.75), attenuations[calcified])

    drawn = grains.draw(x, y)
    return drawn, drawn > 0.15 * _attenuation(conspicuity)


def _attenuation(conspicuity: float) -> float:
    return 0.35 + 0.4 * conspicuity


def _grown_hull(x: Floats, y: Floats, points: Points, margin: float) -> Mask:
    """Return whether each (x, y) is inside the convex hull of the points [n, 2].

    The sides of the hull are moved outwards by `margin` first.
    """
    corners = cv2.convexHull(points.astype(np.float32), clockwise=False)[:, 0]
    inside = np.ones(x.shape, np.bool_)

    for (from_x, from_y), (to_x, to_y) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        normal_x = to_y - from_y
        normal_y = from_x - to_x
        outwards = (x - from_x) * normal_x + (y - from_y) * normal_y
        inside &= outwards <= margin * np.hypot(normal_x, normal_y)

    return inside
