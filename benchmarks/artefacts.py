"""Scenes with typical artefacts of films and scanners: labels, edges, borders, fog, implants.

Each takes a phantom and its breast and returns the changed picture and the breast in it.
"""

from collections.abc import Callable

import cv2
import numpy as np

from benchmarks.contact_sheet import WHITE
from service.records import Mask, Pixels

Scene = tuple[Pixels, Mask]
Disturb = Callable[[np.random.Generator, Pixels, Mask], Scene]


def as_it_is(_: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Return the image unchanged."""
    return pixels, breast


def label(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Put a lettered film label across the skin in the upper half.

    The truth is the part of the breast that remains visible.
    """
    rows, columns = pixels.shape

    # The label lies over a random point of the skin, mostly on the side of the air.
    skin = breast ^ cv2.erode(breast.astype(np.uint8), np.ones((3, 3)), borderValue=1).astype(bool)
    candidates = np.argwhere(skin[: rows // 2])
    y, x = candidates[rng.integers(len(candidates))]
    height = rows * rng.uniform(0.06, 0.11)
    width = rows * rng.uniform(0.06, 0.11)
    towards_air = 1 if breast[:, 0].sum() > breast[:, -1].sum() else -1
    centre = float(x + towards_air * 0.3 * width), float(y - 0.3 * height)
    corners = cv2.boxPoints((centre, (width, height), rng.uniform(-20, 20))).astype(np.int32)

    tape = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(tape, [corners], 1)

    letters = np.zeros_like(tape)
    at = int(centre[0] - 0.35 * width), int(centre[1] + 0.15 * height)
    cv2.putText(letters, "ML", at, cv2.FONT_HERSHEY_SIMPLEX, width / 60, 1, 1 + round(width / 40))

    lit = np.where(letters == 1, np.uint16(WHITE // 4), np.uint16(WHITE * rng.uniform(0.95, 1)))
    return np.where(tape == 1, lit, pixels), breast & (tape == 0)


def strips(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Add bright wedges along all sides but the chest wall, like those from a scanner's glass."""
    rows, columns = pixels.shape
    from_left = breast[:, 0].sum() > breast[:, -1].sum()
    drawn = np.zeros((rows, columns), np.uint8)
    ends = rng.uniform(0.0, 0.04, (3, 2)) * rows
    across = columns - 1 if from_left else 0
    inwards = -1 if from_left else 1

    wedges = (
        [(0, 0), (columns - 1, 0), (columns - 1, ends[0, 0]), (0, ends[0, 1])],
        [
            (0, rows - 1),
            (columns - 1, rows - 1),
            (columns - 1, rows - 1 - ends[1, 0]),
            (0, rows - 1 - ends[1, 1]),
        ],
        [
            (across, 0),
            (across, rows - 1),
            (across + inwards * ends[2, 0], rows - 1),
            (across + inwards * ends[2, 1], 0),
        ],
    )
    for wedge in wedges:
        cv2.fillPoly(drawn, [np.array(wedge).astype(np.int32)], 1)

    lit = np.where(drawn == 1, np.uint16(WHITE * rng.uniform(0.9, 1)), pixels)
    return lit, breast & (drawn == 0)


def white_border(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Add a white frame around the image."""
    return framed(rng, pixels, breast, WHITE)


def padding(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Add a black frame around the image."""
    return framed(rng, pixels, breast, 0)


def framed(rng: np.random.Generator, pixels: Pixels, breast: Mask, grey: int) -> Scene:
    """Add a frame of one grey value, with a random width on each side."""
    widths = (rng.uniform(0.01, 0.2, (2, 2)) * len(pixels)).astype(int)
    return np.pad(pixels, widths, constant_values=grey), np.pad(breast, widths)


def fog(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Add the grey of an unexposed film, brighter towards one side, with grain."""
    rows, columns = pixels.shape
    y, x = np.mgrid[:rows, :columns] / rows
    slope = rng.uniform(-0.02, 0.02, 2)

    veil = (
        rng.uniform(0.02, 0.06)
        + slope[0] * x
        + slope[1] * y
        + rng.normal(0, 0.004, (rows, columns))
    )

    return np.clip(pixels + WHITE * veil, 0, WHITE).astype(np.uint16), breast


def implant(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Add an implant: a white lobe in the breast, at the chest wall or in front of it."""
    depth = cv2.distanceTransform(np.pad(breast, 1, mode="edge").astype(np.uint8), cv2.DIST_L2, 5)[
        1:-1, 1:-1
    ]
    # Centred where the breast is thickest.
    row, column = np.unravel_index(np.argmax(depth), depth.shape)
    reach = depth.max() * rng.uniform(0.5, 0.8)

    drawn = np.zeros(pixels.shape, np.uint8)
    axes = int(reach), int(reach * rng.uniform(0.7, 1))
    cv2.ellipse(drawn, (int(column), int(row)), axes, 90, 0, 360, 1, cv2.FILLED)

    lobe = (drawn == 1) & breast
    return np.where(lobe, np.uint16(WHITE * rng.uniform(0.95, 1)), pixels), breast


def cut(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Cut the breast off above, below and at the nipple, as if it were larger than the detector."""
    rows = np.flatnonzero(breast.any(axis=1))
    columns = np.flatnonzero(breast.any(axis=0))
    shares = rng.uniform(0.02, 0.12, 3)

    top = rows[0] + int(shares[0] * rows.size)
    bottom = rows[-1] - int(shares[1] * rows.size)

    # The nipple is on the side away from the chest wall.
    lost = int(shares[2] * columns.size)
    left = columns[0]
    right = columns[-1] + 1
    if breast[:, 0].sum() > breast[:, -1].sum():
        right -= lost
    else:
        left += lost

    return pixels[top:bottom, left:right], breast[top:bottom, left:right]


ARTEFACTS: dict[str, Disturb] = {
    "as it is": as_it_is,
    "label on the skin": label,
    "scanner edges": strips,
    "white border": white_border,
    "black border": padding,
    "film fog": fog,
    "implant": implant,
    "cut at three sides": cut,
}
