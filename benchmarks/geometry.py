"""Measures whether identical pixels get the same answer in every lossless transfer syntax.

    python -m benchmarks.geometry [--bundle models/demo/1 ...] [--phantoms 40] [FILE ...]

Each DICOM file, and each of the phantoms of clinical size, is written anew in every lossless
transfer syntax with the same stored values. It is read in the way of the service. The uncompressed
file is the reference. As further columns, each picture is written as PNG with 16 and with 8 bits.

    place     largest distance between both maps to the source at the corners of the model's grid,
              in pixels of the model
    mean      mean difference of the model's input in the breast, 0..1, of the worst file
    99.9 %    of the pixels in the breast differ by less, in the worst file
    max       largest difference of a pixel in the breast
    p 99 %    of the files' probabilities differ by at most this, for each bundle
    p max     largest difference of a probability
    changed   other decisions, and in brackets those further than 0.01 from the threshold
"""

import argparse
import math
import os
import time
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from tqdm import tqdm

from service.imaging import decode, read
from service.model import Bundle
from service.records import FitParameters, Fitted, Floats, Laterality
from training import phantoms
from training.phantoms.transfer import LOSSY, SYNTAXES, Syntax, encode

GRID = FitParameters(256, 192)
REFERENCE: Syntax = "explicit"
CLINICAL = phantoms.Detector(rows=3584, columns=2816)
NEAR_THRESHOLD = 0.01

Variant = tuple[str, bytes]
# Place, mean, 99.9th percentile and max of the differences, and the probabilities of each bundle.
Row = tuple[float, float, float, float, list[tuple[float, float]]]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, help="DICOM files of mammograms")
    parser.add_argument("--bundle", action="append", type=Path, default=[], help="a bundle to ask")
    parser.add_argument("--phantoms", type=int, default=40, help="number of phantoms (default 40)")
    options = parser.parse_args()

    bundles = [Bundle.load(path) for path in options.bundle]
    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")

    files = [path.read_bytes() for path in options.files]
    if files:
        report(f"{len(files)} files", files, bundles)
    if options.phantoms:
        made = (phantom(number) for number in range(options.phantoms))
        report(f"{options.phantoms} phantoms", made, bundles)


def phantom(number: int) -> bytes:
    """Return a phantom of clinical size as DICOM; every second one has a mass."""
    rng = np.random.default_rng([7, number])
    kind = phantoms.FindingKind.SPICULATED_MASS
    findings = (phantoms.Finding(kind),) if number % 2 else ()
    side: Laterality = "L" if number % 4 < 2 else "R"  # noqa: PLR2004 - half of them
    view = phantoms.render_view(rng, laterality=side, findings=findings, detector=CLINICAL)
    return phantoms.to_dicom_bytes(view)


def report(title: str, files: Iterator[bytes] | Sequence[bytes], bundles: list[Bundle]) -> None:
    """Measure the files and print a table with a line for each way to write them."""
    rows: dict[str, list[Row]] = {}
    for data in tqdm(files, title, unit="file"):
        reference = {grid: read(data, grid).fitted for grid in grids(bundles)}
        for name, variant in variants(data):
            rows.setdefault(name, []).append(compare(reference, variant, bundles))

    print(f"\n{title}")
    head = f"{'written as':<20}{'place':>8}{'mean':>9}{'99.9 %':>9}{'max':>8}"
    for bundle in bundles:
        head += f"  | {bundle.manifest.name}: {'p 99 %':>7}{'p max':>8}  changed"
    print(head)
    for name, measured in rows.items():
        print(line(name, measured, bundles))


def grids(bundles: list[Bundle]) -> list[FitParameters]:
    """Return the grid of the differences, and those of the bundles."""
    return [GRID, *(bundle.manifest.preprocessing for bundle in bundles)]


def variants(data: bytes) -> Iterator[Variant]:
    """Yield the file in every lossless transfer syntax, and as PNG."""
    dataset = dcmread(BytesIO(data))
    stored = dataset.pixel_array
    for syntax in SYNTAXES:
        if syntax not in LOSSY:
            yield syntax, written(dataset, stored, syntax)

    pixels = decode(data).pixels
    yield "PNG, 16 bits", as_png(pixels)
    yield "PNG, 8 bits", as_png((pixels >> 8).astype(np.uint8))


def written(dataset: Dataset, stored: np.ndarray, syntax: Syntax) -> bytes:
    """Return the dataset as a file in that transfer syntax."""
    uid = SYNTAXES[syntax]
    dataset.file_meta.TransferSyntaxUID = uid
    dataset.PixelData = encode(stored, dataset.BitsStored, syntax)
    dataset["PixelData"].VR = "OB" if uid.is_encapsulated else "OW"

    stream = BytesIO()
    dcmwrite(
        stream,
        dataset,
        implicit_vr=uid.is_implicit_VR,
        little_endian=uid.is_little_endian,
        force_encoding=True,
    )
    return stream.getvalue()


def as_png(pixels: np.ndarray) -> bytes:
    """Return the picture as PNG."""
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def compare(reference: dict[FitParameters, Fitted], variant: bytes, bundles: list[Bundle]) -> Row:
    """Compare a file with the reference."""
    fitted = {grid: read(variant, grid).fitted for grid in reference}
    expected = reference[GRID]
    actual = fitted[GRID]
    difference = np.abs(actual.image - expected.image)[expected.mask]

    probabilities = []
    for bundle in bundles:
        grid = bundle.manifest.preprocessing
        images = reference[grid].image, fitted[grid].image
        probabilities.append((positive(bundle, images[0]), positive(bundle, images[1])))

    return (
        distance(expected, actual),
        float(difference.mean()),
        float(np.percentile(difference, 99.9)),
        float(difference.max()),
        probabilities,
    )


def distance(one: Fitted, other: Fitted) -> float:
    """Return the largest distance of both maps at the corners of the grid, in its pixels."""
    height, width, _ = one.image.shape
    corners = [(x, y) for x in (0, width - 1) for y in (0, height - 1)]
    to_grid = one.to_source.inverse()
    moved = [to_grid.apply(*other.to_source.apply(x, y)) for x, y in corners]
    return max(math.hypot(a - x, b - y) for (x, y), (a, b) in zip(corners, moved, strict=True))


def positive(bundle: Bundle, image: Floats) -> float:
    """Return the probability of the positive class."""
    manifest = bundle.manifest
    scores = bundle.predict(image[None])
    return float(scores.probabilities[0, manifest.classes.index(manifest.positive_class)])


def line(name: str, rows: list[Row], bundles: list[Bundle]) -> str:
    """Return a line of the table."""
    place, mean, tail, largest = (max(row[index] for row in rows) for index in range(4))
    text = f"{name:<20}{place:>8.3f}{mean:>9.5f}{tail:>9.4f}{largest:>8.3f}"

    for index, bundle in enumerate(bundles):
        threshold = bundle.manifest.threshold
        pairs = np.array([row[4][index] for row in rows])
        moved = np.abs(pairs[:, 1] - pairs[:, 0])
        changed = (pairs[:, 0] >= threshold) != (pairs[:, 1] >= threshold)
        far = changed & (np.abs(pairs[:, 0] - threshold) > NEAR_THRESHOLD)
        quantile = np.percentile(moved, 99, method="higher")
        pad = " " * (len(bundle.manifest.name) + 5)
        text += f"{pad}{quantile:>7.4f}{moved.max():>8.4f}  {changed.sum()} ({far.sum()})"
    return text


if __name__ == "__main__":
    main()
