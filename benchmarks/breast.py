"""Measures the breast's outline: on phantoms against the truth, on images by looking at them.

    python -m benchmarks.breast [--phantoms N] [--sheet OUT.png] [FOLDER ...]

The table gives the Dice coefficient of the outline in source pixels: its median, 5th percentile and minimum over N
random phantoms, as they are and with what films and scanners add; a refused phantom counts as 0. Of the folders' images
those that are refused are listed, and the others drawn on contact sheets, the outline in green, the crop box in blue.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from service.errors import ImageError, NoBreast
from service.imaging import decode, fit
from service.records import FitParameters, Fitted, Mask, Pixels
from training import phantoms
from training.phantoms.cohort import sample_patient

GRID = FitParameters(256, 192)
WHITE = 65535
TILE = 200  # pixels along a tile's edge
TILES, IN_A_ROW = 60, 10  # of a contact sheet
SUFFIXES = {".dcm", ".jpeg", ".jpg", ".png", ".tif", ".tiff"}

Scene = tuple[Pixels, Mask]
Disturb = Callable[[np.random.Generator, Pixels, Mask], Scene]
FramedPicture = NDArray[np.uint8]


def main() -> None:
    """Prints the table, and the refused images; draws the contact sheets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, help="folders of images to draw")
    parser.add_argument("--phantoms", type=int, default=200, help="how many of them (default 200)")
    parser.add_argument("--sheet", type=Path, help="where to draw; the sheets are numbered")
    options = parser.parse_args()
    dices: dict[str, list[float]] = {name: [] for name in CONDITIONS}
    for rng, image in render_phantoms(options.phantoms):
        for name, disturb in CONDITIONS.items():
            pixels, truth = disturb(rng, image.pixels, image.breast)
            dices[name].append(dice(pixels, truth))
    print(f"{options.phantoms} phantoms: Dice   median      5%     min")
    for name, values in dices.items():
        low, middle = np.percentile(values, [5, 50])
        print(f"{name:24}{middle:8.3f}{low:8.3f}{min(values):8.3f}")
    tiles = list(draw(options.folders))
    for start in range(0, len(tiles) if options.sheet else 0, TILES):
        path = options.sheet.with_stem(f"{options.sheet.stem}-{1 + start // TILES}")
        cv2.imwrite(str(path), arrange(tiles[start : start + TILES]))


def render_phantoms(count: int) -> Iterator[tuple[np.random.Generator, phantoms.PhantomImage]]:
    """So many views of random patients on their machines, each with a generator for what comes on top."""
    for index in range(count):
        rng = np.random.default_rng([index, 7])
        patient = sample_patient(rng, index, cancer_rate=0.3)
        breast = patient.breasts[rng.integers(2)]
        image = phantoms.render_view(
            rng,
            laterality=breast.laterality,
            view="MLO" if rng.random() < 0.5 else "CC",  # noqa: PLR2004 - as often as not
            findings=breast.findings,
            body=patient.body,
            detector=patient.machine.detector,
        )
        yield rng, image


def dice(pixels: Pixels, truth: Mask) -> float:
    """Twice the overlap of outline and truth over the sum of their areas; 0 if the image is refused."""
    try:
        outline = in_source(fit(pixels, GRID), pixels.shape)
    except NoBreast:
        return 0.0
    return float(
        2
        * np.count_nonzero(outline & truth)
        / (np.count_nonzero(outline) + np.count_nonzero(truth))
    )


def in_source(fitted: Fitted, shape: tuple[int, ...]) -> Mask:
    """The breast's outline at the centres of the source's pixels."""
    matrix = np.array(fitted.breast_to_source.matrix())
    drawn = cv2.warpAffine(
        fitted.breast.astype(np.uint8) * 255, matrix, shape[::-1], flags=cv2.INTER_LINEAR
    )
    return np.asarray(drawn > 127, np.bool_)  # noqa: PLR2004 - half of 255


def as_it_is(_: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """Nothing added."""
    return pixels, breast


def label(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """A lettered film label that lies across the skin in the upper half; the truth is what of the breast is seen."""
    rows, columns = pixels.shape
    skin = breast ^ cv2.erode(breast.astype(np.uint8), np.ones((3, 3)), borderValue=1).astype(bool)
    candidates = np.argwhere(skin[: rows // 2])
    y, x = candidates[rng.integers(len(candidates))]
    height, width = rows * rng.uniform(0.06, 0.11), rows * rng.uniform(0.06, 0.11)
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
    """Bright wedges along all sides but the chest wall, as a scanner's glass leaves them."""
    rows, columns = pixels.shape
    from_left = breast[:, 0].sum() > breast[:, -1].sum()
    drawn = np.zeros((rows, columns), np.uint8)
    ends = rng.uniform(0.0, 0.04, (3, 2)) * rows
    across = columns - 1 if from_left else 0
    inwards = -1 if from_left else 1
    for wedge in (
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
    ):
        cv2.fillPoly(drawn, [np.array(wedge).astype(np.int32)], 1)
    return np.where(drawn == 1, np.uint16(WHITE * rng.uniform(0.9, 1)), pixels), breast & (
        drawn == 0
    )


def white_border(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """A white frame around the picture."""
    return framed(rng, pixels, breast, WHITE)


def padding(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """A black frame around the picture."""
    return framed(rng, pixels, breast, 0)


def framed(rng: np.random.Generator, pixels: Pixels, breast: Mask, grey: int) -> Scene:
    """The picture in a frame of that grey value, of another width on each side."""
    widths = (rng.uniform(0.01, 0.2, (2, 2)) * len(pixels)).astype(int)
    return np.pad(pixels, widths, constant_values=grey), np.pad(breast, widths)


def fog(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """The grey of an unexposed film, brighter to one side, with grain."""
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
    """A white lobe in the breast, at the chest wall or before it."""
    depth = cv2.distanceTransform(np.pad(breast, 1, mode="edge").astype(np.uint8), cv2.DIST_L2, 5)[
        1:-1, 1:-1
    ]
    row, column = np.unravel_index(np.argmax(depth), depth.shape)
    reach = depth.max() * rng.uniform(0.5, 0.8)
    drawn = np.zeros(pixels.shape, np.uint8)
    axes = int(reach), int(reach * rng.uniform(0.7, 1))
    cv2.ellipse(drawn, (int(column), int(row)), axes, 90, 0, 360, 1, cv2.FILLED)
    lobe = (drawn == 1) & breast
    return np.where(lobe, np.uint16(WHITE * rng.uniform(0.95, 1)), pixels), breast


def cut(rng: np.random.Generator, pixels: Pixels, breast: Mask) -> Scene:
    """A breast that is larger than the detector: cut off above, below and at the nipple."""
    rows, columns = np.flatnonzero(breast.any(axis=1)), np.flatnonzero(breast.any(axis=0))
    shares = rng.uniform(0.02, 0.12, 3)
    top, bottom = rows[0] + int(shares[0] * rows.size), rows[-1] - int(shares[1] * rows.size)
    lost = int(shares[2] * columns.size)
    left, right = columns[0], columns[-1] + 1
    if breast[:, 0].sum() > breast[:, -1].sum():
        right -= lost
    else:
        left += lost
    return pixels[top:bottom, left:right], breast[top:bottom, left:right]


CONDITIONS: dict[str, Disturb] = {
    "as it is": as_it_is,
    "label on the skin": label,
    "scanner edges": strips,
    "white border": white_border,
    "black border": padding,
    "film fog": fog,
    "implant": implant,
    "cut at three sides": cut,
}


def draw(folders: list[Path]) -> Iterator[FramedPicture]:
    """A tile of each image in the folders, in the order of their names; those that are refused are printed."""
    for path in sorted(
        path for folder in folders for path in folder.rglob("*.*") if path.suffix in SUFFIXES
    ):
        try:
            pixels = decode(path.read_bytes()).pixels
            fitted = fit(pixels, GRID)
        except ImageError as error:
            print(f"{path.name}: {error}")
            continue
        yield tile(path.stem, pixels, fitted)


def tile(name: str, pixels: Pixels, fitted: Fitted) -> FramedPicture:
    """The image with its outline, its crop box and its name."""
    scale = TILE / max(pixels.shape)
    outlines, _ = cv2.findContours(
        in_source(fitted, pixels.shape).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    drawn = np.zeros((TILE, TILE, 3), np.uint8)
    drawn[: small.shape[0], : small.shape[1]] = np.sqrt(small * np.float32(255 / WHITE * 255))[
        ..., None
    ]
    cv2.drawContours(
        drawn, [(outline * scale).astype(np.int32) for outline in outlines], -1, (0, 255, 0), 1
    )
    box = [
        round(edge * scale)
        for edge in (fitted.box.left, fitted.box.top, fitted.box.right, fitted.box.bottom)
    ]
    cv2.rectangle(drawn, (box[0], box[1]), (box[2] - 1, box[3] - 1), (255, 128, 0), 1)
    cv2.putText(drawn, name[-24:], (2, TILE - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.33, (0, 255, 255), 1)
    return drawn


def arrange(tiles: list[FramedPicture]) -> FramedPicture:
    """The tiles row by row."""
    blanks = [np.zeros_like(tiles[0])] * (-len(tiles) % IN_A_ROW)
    rows = [
        np.hstack((tiles + blanks)[start : start + IN_A_ROW])
        for start in range(0, len(tiles), IN_A_ROW)
    ]
    return np.vstack(rows)


if __name__ == "__main__":
    main()
