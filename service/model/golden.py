"""The golden case: one mammogram with what the model made of it when it was exported."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np

from service.errors import BundleDamaged
from service.model.manifest import GOLDEN_FILE
from service.records import Floats, Pixels

# Other kernels round otherwise: without oneDNN, heatmaps of MobileNetV2 move by 2e-6 of their peak. A changed fit or
# model moves them by far more than is allowed here.
IMAGE_TOLERANCE = 1e-5
PROBABILITY_TOLERANCE = 1e-4
HEATMAP_TOLERANCE = 1e-3  # of the golden heatmap's peak


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """Source `pixels`, the fitted `image` [height, width, 1], its `probabilities` [classes] and one `heatmap` [h, w].

    The heatmap is the raw Grad-CAM at `layer` for the class `class_index`.
    """

    pixels: Pixels
    image: Floats
    probabilities: Floats
    layer: str
    class_index: int
    heatmap: Floats

    @classmethod
    def load(cls, bundle: Path) -> Self:
        """The case of the bundle in that directory; BundleDamaged if it has none."""
        try:
            with (
                (bundle / GOLDEN_FILE).open("rb") as file,
                np.load(file, allow_pickle=False) as stored,
            ):
                return cls(
                    pixels=stored["pixels"],
                    image=stored["image"],
                    probabilities=stored["probabilities"],
                    layer=str(stored["layer"]),
                    class_index=int(stored["class_index"]),
                    heatmap=stored["heatmap"],
                )
        except (OSError, EOFError, KeyError, ValueError, TypeError, BadZipFile) as error:
            raise BundleDamaged(
                f"The golden case of bundle {bundle} cannot be read; export the bundle again."
            ) from error

    def save(self, bundle: Path) -> None:
        """Writes the case into the bundle; the same case gives the same bytes."""
        np.savez_compressed(
            bundle / GOLDEN_FILE,
            pixels=self.pixels,
            image=self.image,
            probabilities=self.probabilities,
            layer=np.array(self.layer),
            class_index=np.array(self.class_index),
            heatmap=self.heatmap,
        )

    def compare(self, image: Floats, probabilities: Floats, heatmap: Floats) -> list[str]:
        """A phrase for each result of a replay that does not reproduce this case; empty if all do."""
        peak = float(np.max(self.heatmap, initial=0.0))
        compared = [
            _difference("fitted image", image, self.image, IMAGE_TOLERANCE),
            _difference("probabilities", probabilities, self.probabilities, PROBABILITY_TOLERANCE),
            _difference(
                f"heatmap of layer {self.layer!r}", heatmap, self.heatmap, HEATMAP_TOLERANCE * peak
            ),
        ]
        return [difference for difference in compared if difference]


def _difference(name: str, replayed: Floats, golden: Floats, tolerance: float) -> str | None:
    if replayed.shape != golden.shape:
        return f"the {name} has the shape {replayed.shape} instead of {golden.shape}"
    largest = float(np.max(np.abs(replayed.astype(np.float64) - golden)))
    if largest <= tolerance:  # false for NaN, too
        return None
    return f"the {name} differs by up to {largest:.2g} where {tolerance:.2g} is allowed"
