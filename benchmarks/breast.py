"""Measures the breast outline: on phantoms against the truth, on other images by visual inspection.

    python -m benchmarks.breast [--phantoms N] [--sheet OUT.png] [FOLDER ...]

The table has one line for N random phantoms as they are, and one for each kind of artefact and of
hard scene: the Dice coefficient of the outline in source pixels (median, 5th percentile, minimum),
and how many are refused, have the chest wall on the wrong side, have a wrong outline (Dice below
0.95), and carry each warning. `missed` are wrong outlines and sides without any warning. A refused
phantom counts as a Dice of 0.

Images in the folders are drawn on contact sheets, with the outline in green, the crop box in blue
and the side as a letter. Images with a warning about outline or side have a red frame. Refused
images are listed.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.artefacts import ARTEFACTS
from benchmarks.contact_sheet import GRID, arrange, draw, in_source
from benchmarks.hard_scenes import HARD_SCENES, WITHOUT_SIDE
from service.errors import NoBreast
from service.imaging import fit
from service.records import Mask, Pixels
from training import phantoms
from training.phantoms.cohort import sample_patient

TILES = 30  # on a contact sheet
TILES_PER_ROW = 6
MIN_DICE = 0.95
CODES = ("outline-uncertain", "chest-wall-unseen", "rotated")
HEADER = (
    "median      5%     min  refused  wrong side  wrong outline  missed  uncertain  unseen  rotated"
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The outline of a phantom: its Dice coefficient, whether its side is right, its warnings.

    `is_side_right` is None where the picture has no side, or was refused.
    """

    dice: float
    is_side_right: bool | None
    codes: tuple[str, ...]

    @property
    def is_wrong(self) -> bool:
        """Whether outline or side is wrong."""
        return self.dice < MIN_DICE or self.is_side_right is False


def main() -> None:
    """Print the table and the refused images. Draw the contact sheets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, help="folders of images to draw")
    parser.add_argument(
        "--phantoms", type=int, default=200, help="number of phantoms (default 200)"
    )
    parser.add_argument(
        "--sheet", type=Path, help="file for the contact sheets, which are numbered"
    )
    options = parser.parse_args()

    # Phantoms, by condition.
    conditions = {**ARTEFACTS, **HARD_SCENES}
    drawn: dict[str, list[Drawn]] = {name: [] for name in conditions}
    for rng, image in render_phantoms(options.phantoms):
        for name, disturb in conditions.items():
            pixels, truth = disturb(rng, image.pixels, image.breast)
            is_left = None if name in WITHOUT_SIDE else image.laterality == "L"
            drawn[name].append(outline(pixels, truth, is_left=is_left))

    print(f"{options.phantoms} phantoms: Dice  {HEADER}")
    for name, outlines in drawn.items():
        print(f"{name:24}{line(outlines)}")

    # Contact sheets of the folders.
    tiles = list(draw(options.folders))
    for start in range(0, len(tiles) if options.sheet else 0, TILES):
        path = options.sheet.with_stem(f"{options.sheet.stem}-{1 + start // TILES}")
        cv2.imwrite(str(path), arrange(tiles[start : start + TILES], TILES_PER_ROW))


def render_phantoms(count: int) -> Iterator[tuple[np.random.Generator, phantoms.PhantomImage]]:
    """Yield `count` random phantoms, each with a generator for the artefacts added later."""
    for index in range(count):
        rng = np.random.default_rng([index, 7])
        patient = sample_patient(rng, index, cancer_rate=0.3)
        breast = patient.breasts[rng.integers(2)]
        image = phantoms.render_view(
            rng,
            laterality=breast.laterality,
            view="MLO" if rng.random() < 0.5 else "CC",  # noqa: PLR2004 - both equally often
            findings=breast.findings,
            body=patient.body,
            detector=patient.machine.detector,
        )
        yield rng, image


def outline(pixels: Pixels, truth: Mask, *, is_left: bool | None) -> Drawn:
    """Compare the outline with the truth. `is_left`: whether the chest wall is on the left."""
    try:
        fitted = fit(np.ascontiguousarray(pixels), GRID)
    except NoBreast:
        return Drawn(0.0, None, ("refused",))

    mask = in_source(fitted, pixels.shape)
    areas = np.count_nonzero(mask) + np.count_nonzero(truth)
    dice = float(2 * np.count_nonzero(mask & truth) / areas)

    is_side_right = None if is_left is None else (fitted.side == "left") == is_left
    return Drawn(dice, is_side_right, tuple(warning.code for warning in fitted.warnings))


def line(outlines: list[Drawn]) -> str:
    """Return the figures of one condition."""
    dices = [drawn.dice for drawn in outlines]
    low, middle = np.percentile(dices, [5, 50])
    figures = f"{middle:8.3f}{low:8.3f}{min(dices):8.3f}"

    refused = sum(drawn.codes == ("refused",) for drawn in outlines)
    wrong_sides = sum(drawn.is_side_right is False for drawn in outlines)
    wrong = sum(drawn.dice < MIN_DICE for drawn in outlines) - refused
    missed = sum(drawn.is_wrong and not drawn.codes for drawn in outlines)
    figures += f"{refused:9}{wrong_sides:12}{wrong:15}{missed:8}"

    counts = [sum(code in drawn.codes for drawn in outlines) for code in CODES]
    return f"{figures}{counts[0]:11}{counts[1]:8}{counts[2]:9}"


if __name__ == "__main__":
    main()
