"""The golden case: one mammogram with the model's results at the time of the export."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np

from service.errors import BundleDamaged
from service.model.manifest import GOLDEN_FILE
from service.records import Floats, Pixels

# Other kernels round differently: without oneDNN, heatmaps of MobileNetV2 change by 2e-6 of their
# peak. A changed fit or model changes them by far more than these tolerances.
IMAGE_TOLERANCE = 1e-5
PROBABILITY_TOLERANCE = 1e-4
HEATMAP_TOLERANCE = 1e-3  # of the golden heatmap's peak


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """The golden case of a bundle.

    `pixels`: the source image. `image`: the fitted image [height, width, 1]. `probabilities`:
    [classes]. `heatmap`: the raw Grad-CAM [h, w] at `layer` for the class `class_index`.
    """

    pixels: Pixels
    image: Floats
    probabilities: Floats
    layer: str
    class_index: int
    heatmap: Floats

    @classmethod
    def load(cls, bundle: Path) -> Self:
        """Load the golden case of the bundle in that directory.

        Raises:
            BundleDamaged: the bundle has no golden case, or one that cannot be read.
        """
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
                f"The golden case of bundle {bundle} cannot be read. Export the bundle again."
            ) from error

    def save(self, bundle: Path) -> None:
        """Write the case into the bundle. The same case gives the same bytes."""
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
        """Compare the results of a replay with this case.

        Return a phrase for each result that differs by more than its tolerance.
        """
        peak = float(np.max(self.heatmap, initial=0.0))
        heatmap_name = f"heatmap of layer {self.layer!r}"

        differences = [
            _difference("fitted image", image, self.image, IMAGE_TOLERANCE),
            _difference("probabilities", probabilities, self.probabilities, PROBABILITY_TOLERANCE),
            _difference(heatmap_name, heatmap, self.heatmap, HEATMAP_TOLERANCE * peak),
        ]
        return [difference for difference in differences if difference]


def _difference(name: str, replayed: Floats, golden: Floats, tolerance: float) -> str | None:
    if replayed.shape != golden.shape:
        return f"the {name} has the shape {replayed.shape} instead of {golden.shape}"

    largest = float(np.max(np.abs(replayed.astype(np.float64) - golden)))
    if largest <= tolerance:  # False for NaN, which counts as a difference
        return None
    return f"the {name} differs by up to {largest:.2g}, with a tolerance of {tolerance:.2g}"
