"""Scenes in which an outline is hard to draw: dense gland, folds, fog, tape, an arm, a small field.

Each takes a phantom and its breast and returns the changed picture and the breast in it.
"""

import cv2
import numpy as np

from benchmarks.artefacts import Disturb, Scene
from benchmarks.contact_sheet import WHITE
from service.records import Mask, Pixels


def dense_gland(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Darken fat and skin with a steep curve, so that gland is many times brighter."""
    white = np.percentile(pixels[breast], 99)
    curved = white * np.minimum(pixels / white, 1) ** rng.uniform(2, 3.5)
    return np.where(breast, np.maximum(curved, pixels * 0.04), pixels).astype(np.uint16), breast


def narrow_neck(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Cut a fold of air into the breast. Its upper part hangs on a neck at the chest wall."""
    rows, columns = pixels.shape
    ys = np.flatnonzero(breast.any(axis=1))
    y = ys[0] + rng.uniform(0.2, 0.35) * ys.size
    neck = rng.uniform(0.004, 0.016) * rows
    height = rng.uniform(0.02, 0.04) * rows

    tip = rng.uniform(0.01, 0.02) * rows
    wedge = np.array(
        [(neck, y - tip), (neck, y + tip), (columns, y + height), (columns, y - height)]
    )
    if not is_left(breast):
        wedge[:, 0] = columns - 1 - wedge[:, 0]
    return without(pixels, breast, drawn(pixels.shape, wedge))


def fog_in_doubt(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Lay dense fog over a film with bare glass beside it. The fog grows towards the nipple."""
    rows, columns = pixels.shape
    across = np.linspace(0, 1, columns) if is_left(breast) else np.linspace(1, 0, columns)
    veil = rng.uniform(0.06, 0.14) + rng.uniform(0.04, 0.14) * across[None]
    grain = rng.normal(0, 0.004, (rows, columns))
    foggy = pixels * (1 - veil) + WHITE * (veil + grain)

    glass = round(rng.uniform(0.05, 0.25) * columns)
    beside = (0, glass) if is_left(breast) else (glass, 0)
    pads = ((0, 0), beside)
    return np.pad(np.clip(foggy, 0, WHITE).astype(np.uint16), pads), np.pad(breast, pads)


def filled_frame(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Crop the picture until all but a corner or two is breast."""
    ys = np.flatnonzero(breast.any(axis=1))
    xs = np.flatnonzero(breast.any(axis=0))
    top = ys[0] + int(rng.uniform(0.08, 0.25) * ys.size)
    bottom = ys[-1] - int(rng.uniform(0.02, 0.25) * ys.size)

    kept = int(rng.uniform(0.75, 0.95) * xs.size)
    left = xs[0] if is_left(breast) else xs[-1] + 1 - kept
    box = np.s_[top:bottom, left : left + kept]
    return pixels[box], breast[box]


def tape(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Put a grey strip with straight edges along the far side, up to the nipple or over it."""
    rows, columns = pixels.shape
    xs = np.flatnonzero(breast.any(axis=0))
    nearest = rng.uniform(0.9, 1.05) * xs.size
    width = rng.uniform(0.03, 0.12) * rows
    lean = rng.uniform(-0.03, 0.03) * rows

    strip = np.array(
        [(nearest, 0), (nearest + width, 0), (nearest + width + lean, rows), (nearest + lean, rows)]
    )
    if not is_left(breast):
        strip[:, 0] = columns - 1 - strip[:, 0]
    taped = drawn(pixels.shape, strip) & ~breast
    grey = rng.uniform(0.15, 0.8) * np.percentile(pixels[breast], 99)
    noise = rng.normal(0, 0.003 * WHITE, pixels.shape)
    return np.where(taped, np.clip(grey + noise, 0, WHITE), pixels).astype(np.uint16), breast


def air_strip(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Add air behind the chest wall, and the bright edge of the film or detector beyond it."""
    rows = len(pixels)
    air = round(rng.uniform(0.01, 0.05) * rows)
    edge = round(rng.uniform(0.005, 0.02) * rows)
    noise = rng.normal(0, 0.002 * WHITE, (rows, air + edge))
    strip = noise + WHITE * rng.uniform(0.5, 1) * (np.arange(air + edge) >= air)
    added = np.clip(strip, 0, WHITE).astype(np.uint16)

    nothing = np.zeros(added.shape, bool)
    if is_left(breast):
        return np.hstack([added[:, ::-1], pixels]), np.hstack([nothing, breast])
    return np.hstack([pixels, added]), np.hstack([breast, nothing])


def arm(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Put an arm or a chin over the upper corner that is air. It may reach the breast."""
    rows, columns = pixels.shape
    grey = rng.uniform(0.5, 1) * np.percentile(pixels[breast], 90)
    centre = rng.uniform(0.8, 1) * columns, rng.uniform(0, 0.15) * rows
    axes = rng.uniform(0.4, 0.6) * columns, rng.uniform(0.1, 0.2) * rows

    limb = np.zeros(pixels.shape, np.uint8)
    x = centre[0] if is_left(breast) else columns - 1 - centre[0]
    tilt = rng.uniform(0, 25) * (-1 if is_left(breast) else 1)
    cv2.ellipse(limb, ((x, centre[1]), (2 * axes[0], 2 * axes[1]), tilt), 1, cv2.FILLED)
    depth = cv2.distanceTransform(limb, cv2.DIST_L2, 5) / (0.03 * rows)
    shade = grey * np.minimum(depth, 1) + rng.normal(0, 0.004 * WHITE, pixels.shape)
    lit = np.where((limb == 1) & ~breast, np.clip(shade, 0, WHITE), pixels)
    return lit.astype(np.uint16), breast


def glaring_rim(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Let skin and nipple glare over a dark breast, as when a contrast medium was subtracted."""
    rows = len(pixels)
    depth = cv2.distanceTransform(np.pad(breast, 1, mode="edge").astype(np.uint8), cv2.DIST_L2, 5)[
        1:-1, 1:-1
    ]
    rim = breast & (depth < rng.uniform(0.008, 0.03) * rows)

    # The nipple is the skin that is farthest from the chest wall.
    xs = np.flatnonzero(breast.any(axis=0))
    x = xs[-1] if is_left(breast) else xs[0]
    y = int(np.flatnonzero(breast[:, x]).mean())
    nipple = np.zeros(pixels.shape, np.uint8)
    cv2.circle(nipple, (int(x), y), int(rng.uniform(0.03, 0.055) * rows), 1, cv2.FILLED)

    glaring = rim | ((nipple == 1) & breast)
    dark = pixels * rng.uniform(0.4, 0.7)
    return np.where(glaring, WHITE * rng.uniform(0.95, 1), dark).astype(np.uint16), breast


def small_field(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Show a round or square field of the breast alone, as in a biopsy or a spot view."""
    rows, columns = pixels.shape
    depth = cv2.distanceTransform(np.pad(breast, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = np.unravel_index(np.argmax(depth), depth.shape)
    reach = depth.max() * rng.uniform(0.7, 1)

    field = np.zeros(pixels.shape, np.uint8)
    if rng.random() < 0.5:  # noqa: PLR2004 - both equally often
        cv2.circle(field, (int(column), int(row)), int(reach), 1, cv2.FILLED)
    else:
        half = int(reach * 0.7)
        field[max(row - half, 0) : row + half, max(column - half, 0) : column + half] = 1

    # The field fills much of the picture.
    margin = int(reach * rng.uniform(1.05, 1.4))
    shown = np.s_[
        max(row - margin, 0) : min(row + margin, rows),
        max(column - margin, 0) : min(column + margin, columns),
    ]
    return without(pixels[shown], breast[shown], field[shown] == 0)


def rotated(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Rotate the picture by 90 degrees to either side."""
    turns = int(rng.choice([1, 3]))
    return np.ascontiguousarray(np.rot90(pixels, turns)), np.rot90(breast, turns)


def is_left(breast: Mask) -> bool:
    """Return whether the chest wall is on the left."""
    return bool(breast[:, 0].sum() > breast[:, -1].sum())


def drawn(shape: tuple[int, ...], polygon: np.ndarray) -> Mask:
    """Return the mask of a polygon."""
    canvas = np.zeros(shape, np.uint8)
    cv2.fillPoly(canvas, [np.rint(polygon).astype(np.int32)], 1)
    inside: Mask = canvas == 1
    return inside


def without(pixels: Pixels, breast: Mask, air: Mask) -> Scene:
    """Replace a part of the picture by the air's grey."""
    dark = np.percentile(pixels[~breast], 50) if not breast.all() else 0
    shown: Mask = breast & ~air
    return np.where(air, dark, pixels).astype(np.uint16), shown


HARD_SCENES: dict[str, Disturb] = {
    "dense gland": dense_gland,
    "narrow neck": narrow_neck,
    "side in doubt": fog_in_doubt,
    "filled frame": filled_frame,
    "tape beside the breast": tape,
    "air at the chest wall": air_strip,
    "arm": arm,
    "glaring rim and nipple": glaring_rim,
    "small field": small_field,
    "rotated": rotated,
}

# These pictures show no chest wall at the left or right.
WITHOUT_SIDE = {"small field", "rotated"}
