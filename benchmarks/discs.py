"""Half discs in place of breasts, in files that take no time to draw."""

from pathlib import Path

import cv2
import numpy as np

ROWS = 160
COLUMNS = 120
RADIUS = 8
"""Of a cancer, in pixels."""


def write_discs(out: Path, *, patients: int, seed: int) -> None:
    """Write `train.csv` and PNG files `images/<patient>_<image>.png`, two of each patient.

    Every second patient has a bright spot in the left breast: the cancer.
    """
    (out / "images").mkdir(parents=True)
    rng = np.random.default_rng(seed)

    lines = ["patient_id,image_id,laterality,view,cancer"]
    for patient in range(patients):
        for side in ("L", "R"):
            cancer = side == "L" and patient % 2 == 0
            pixels = _draw(rng, cancer=cancer)
            mirrored = pixels if side == "L" else np.ascontiguousarray(pixels[:, ::-1])
            cv2.imwrite(str(out / "images" / f"p{patient}_{side}.png"), mirrored)
            lines.append(f"p{patient},{side},{side},CC,{int(cancer)}")

    (out / "train.csv").write_text("\n".join(lines) + "\n")


def _draw(rng: np.random.Generator, *, cancer: bool) -> np.ndarray:
    """Return a left breast [ROWS, COLUMNS]."""
    rows, columns = np.indices((ROWS, COLUMNS))
    breast = ((rows - ROWS / 2) / 70) ** 2 + (columns / 95) ** 2 < 1
    spot = (rows - rng.integers(55, 105)) ** 2 + (columns - rng.integers(20, 60)) ** 2 < RADIUS**2

    noise = rng.normal(0, 12, breast.shape)
    grey = np.where(breast, 90 + noise, 0) + 80 * (spot & breast & cancer)
    return np.asarray(grey.clip(0, 255), np.uint8)
