"""A toy data set and its experiment.

The breasts are half discs in PNG files. A bright spot makes an image positive.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

PATIENTS = 40
ROWS, COLUMNS = 120, 90

EXPERIMENT = """\
[data]
table = "{root}/train.csv"
images = "{root}/images/{{patient_id}}_{{image_id}}.png"
lesion_masks = "{root}/masks/{{image_id}}.png"
cache = "{root}/cache"
[split]
by = "patient"
validation = 0.25
test = 0.25
[fit]
height = 48
width = 36
margin = 0.02
white_percentile = 99.5
[network]
filters = [4, 6, 8]
kernel_size = 3
pool_size = 2
dropout = 0.1
pooling = "max"
dense = []
[augmentation]
flip = true
shift = 0.02
zoom = 0.02
gain = 0.05
gamma = 0.05
[training]
seed = 3
epochs = 4
patience = 4
batch_size = 4
learning_rate = 0.01
[bundle]
training_data = "Half discs with and without a bright spot."
intended_use = "Tests."
limitations = "Half discs only."
"""


@pytest.fixture(scope="session")
def toy_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the toy data set. Every second patient has a cancer on the left."""
    root = tmp_path_factory.mktemp("toy")
    (root / "images").mkdir()
    (root / "masks").mkdir()

    rng = np.random.default_rng(0)
    lines = ["patient_id,image_id,laterality,view,cancer"]
    for patient in range(PATIENTS):
        for side in ("L", "R"):
            cancer = side == "L" and patient % 2 == 0
            image_id = f"{patient}{side}"
            pixels, mask = draw_toy(rng, mirrored=side == "R", cancer=cancer)
            cv2.imwrite(str(root / "images" / f"p{patient}_{image_id}.png"), pixels)
            if cancer:
                cv2.imwrite(str(root / "masks" / f"{image_id}.png"), mask)
            lines.append(f"p{patient},{image_id},{side},CC,{int(cancer)}")

    (root / "train.csv").write_text("\n".join(lines) + "\n")

    return root


def draw_toy(
    rng: np.random.Generator, *, mirrored: bool, cancer: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a breast with noise, and the mask of its spot, both uint8 [ROWS, COLUMNS]."""
    rows, columns = np.indices((ROWS, COLUMNS))
    breast = ((rows - 60) / 52) ** 2 + (columns / 70) ** 2 < 1

    # Every breast has a mask of a spot, but only a cancer shows it in the pixels.
    spot = (rows - rng.integers(40, 80)) ** 2 + (columns - rng.integers(15, 45)) ** 2 < 36
    pixels = np.where(breast, 90 + rng.normal(0, 6, breast.shape), 0) + 120 * (
        spot & breast & cancer
    )

    images = [pixels.clip(0, 255).astype(np.uint8), np.where(spot, 255, 0).astype(np.uint8)]
    pixels, mask = (np.ascontiguousarray(image[:, ::-1]) if mirrored else image for image in images)
    return pixels, mask


@pytest.fixture(scope="session")
def write_experiment(toy_root: Path) -> Callable[[Path], Path]:
    """Write the experiment to a path, with replacements given as pairs of old and new text."""

    def write(path: Path, *replacements: tuple[str, str]) -> Path:
        text = EXPERIMENT.format(root=toy_root)
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)

        path.write_text(text)
        return path

    return write
