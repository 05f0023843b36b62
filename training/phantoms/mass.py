"""Masses: spiculated and round, equally bright. Lengths are in units (see Anatomy)."""

import cv2
import numpy as np

from service.records import Floats, Mask


def draw_spiculated(
    rng: np.random.Generator, x: Floats, y: Floats, conspicuity: float, size: float
) -> tuple[Floats, Mask]:
    """Draw an irregular core with radiating spicules that thin out.

    The mask covers the core and half the mean length of the spicules.
    """
    distance, angle = cv2.cartToPolar(x, y)

    # Core: a disc whose radius varies with the angle.
    radius = np.full_like(distance, 0.9 * _radius(size))
    for waves in range(2, 7):
        radius *= 1 + rng.uniform(0.02, 0.1) * np.cos(
            waves * angle + np.float32(rng.uniform(0, 2 * np.pi))
        )
    core = 1 / (1 + np.exp((distance - radius) / np.float32(1.1)))

    # Spicules: bent lines from the edge of the core.
    count = int(rng.integers(14, 22))
    lengths = _radius(size) * rng.uniform(0.6, 2.0, count)
    directions = 2 * np.pi * (np.arange(count) + rng.uniform(-0.6, 0.6, count)) / count
    spicules = np.zeros_like(core)
    for length, direction, bend in zip(
        lengths, directions, rng.normal(0, 0.014, count), strict=True
    ):
        turned = angle - np.float32(direction)
        across = distance * np.sin(turned + np.float32(bend) * distance)
        beyond = np.clip((distance - radius) / np.float32(length), 0, 1)
        line = np.exp(-((across / (1.25 - 0.5 * beyond)) ** 2))
        spicules = np.maximum(spicules, (np.cos(turned) > 0) * np.sqrt(1 - beyond) * line)

    drawn = np.maximum(core, spicules) * np.float32(_attenuation(conspicuity))
    mask = distance < radius + 0.5 * lengths.mean()
    return np.asarray(drawn, np.float32), np.asarray(mask, np.bool_)


def draw_round(
    rng: np.random.Generator, x: Floats, y: Floats, conspicuity: float, size: float
) -> tuple[Floats, Mask]:
    """Draw a smooth oval and its mask."""
    turn = rng.uniform(0, np.pi)
    flatness = rng.uniform(0.75, 1.0)

    along = x * np.cos(turn) + y * np.sin(turn)
    across = y * np.cos(turn) - x * np.sin(turn)
    beyond = np.hypot(along, across / flatness) - 1.1 * _radius(size)

    drawn = _attenuation(conspicuity) / (1 + np.exp(beyond / rng.uniform(0.5, 1.1)))
    return np.asarray(drawn, np.float32), np.asarray(beyond < 0, np.bool_)


def _radius(size: float) -> float:
    return 5.5 + 6.0 * size


def _attenuation(conspicuity: float) -> float:
    return 0.2 + 0.28 * conspicuity
