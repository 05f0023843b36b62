"""Counts how positives and negatives are read: right, refused or wrong.

    python -m benchmarks.negatives [--folds 1,2] [--every N] [--list] PATH ...

A path is a folder with a `labels.csv`, or one DICOM file. The table has the column `file`. Optional
columns are `fold` and `inverted_polarity` (True if the file itself is a negative). Each image is
read as a positive and as a negative: as a raster file of 8 bits and of 12 bits in 16, and wrapped
into DICOM, where the air is padding or not. A DICOM file is made a negative by the other
Photometric Interpretation.

A positive is read right if it is read without the warning `inverted`, and a negative if it is read
with it. Refusals for any reason count as refused, as the whole of `service.imaging.read` decides.
"""

import argparse
import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    DigitalMammographyXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

from benchmarks.contact_sheet import GRID
from service.errors import ImageError
from service.imaging import read
from service.imaging.polarity import INVERTED

# Grey values of 8 bits up to this one count as air if they are connected with the frame.
MAX_AIR = 3

Grey = NDArray[np.uint8]
Outcome = Literal["right", "refused", "wrong"]
OUTCOMES: tuple[Outcome, ...] = ("right", "refused", "wrong")


def main() -> None:
    """Print the counts of each way of storing an image."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="+", type=Path, help="folders of images, or DICOM files")
    parser.add_argument("--folds", help="comma-separated folds to use (default: all)")
    parser.add_argument("--every", type=int, default=1, help="use every Nth image (default 1)")
    parser.add_argument("--list", action="store_true", help="name the images not read right")
    options = parser.parse_args()
    folds = set(options.folds.split(",")) if options.folds else None

    counts: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
    for path in options.paths:
        for name, way, data, is_negative in presentations(path, folds, options.every):
            outcome = judge(data, is_negative=is_negative)
            counts[way][outcome] += 1
            if options.list and outcome != "right":
                print(f"{outcome:8}{way:34}{name}", flush=True)

    print(f"{'':34}{'right':>8}{'refused':>9}{'wrong':>7}")
    for way, count in counts.items():
        right, refused, wrong = (count[outcome] for outcome in OUTCOMES)
        print(f"{way:34}{right:8}{refused:9}{wrong:7}")


def judge(data: bytes, *, is_negative: bool) -> Outcome:
    """Read a file whose polarity is known."""
    try:
        reading = read(data, GRID)
    except ImageError:
        return "refused"
    return "right" if (INVERTED in reading.warnings) == is_negative else "wrong"


def presentations(
    path: Path, folds: set[str] | None, every: int
) -> Iterator[tuple[str, str, bytes, bool]]:
    """Yield each file's name, the way it is stored, its bytes, and whether it is a negative."""
    if path.is_file():
        for way, data, is_negative in as_dicom_stored(dcmread(path)):
            yield path.name, way, data, is_negative
        return

    with (path / "labels.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if folds is None or row["fold"] in folds]
    for row in rows[::every]:
        grey = np.asarray(cv2.imread(str(path / row["file"]), cv2.IMREAD_GRAYSCALE), np.uint8)
        positive: Grey = 255 - grey if row.get("inverted_polarity") == "True" else grey
        for way, data, is_negative in as_stored(positive):
            yield row["file"], way, data, is_negative


def as_stored(positive: Grey) -> Iterator[tuple[str, bytes, bool]]:
    """Store a positive and its negative as raster files and as DICOM."""
    air = air_of(positive)
    values = (positive.astype(np.uint16) << 4) + (positive >> 4)
    cleared = np.where(air, 0, values).astype(np.uint16)

    for is_negative in (False, True):
        kind = "negative" if is_negative else "positive"
        stored8 = 255 - positive if is_negative else positive
        stored12 = 4095 - values if is_negative else values
        padded = 4095 - cleared if is_negative else cleared

        yield f"{kind}, 8 bits", png(stored8), is_negative
        yield f"{kind}, 12 bits in 16", png(stored12), is_negative
        yield f"{kind}, DICOM", dicom(stored12, None), is_negative
        padding = 4095 if is_negative else 0
        yield f"{kind}, DICOM, air is padding", dicom(padded, padding), is_negative


def as_dicom_stored(dataset: Dataset) -> Iterator[tuple[str, bytes, bool]]:
    """Write a DICOM file with either Photometric Interpretation, with and without its padding."""
    other = {"MONOCHROME1": "MONOCHROME2", "MONOCHROME2": "MONOCHROME1"}
    right = str(dataset.PhotometricInterpretation)

    for is_negative in (False, True):
        dataset.PhotometricInterpretation = other[right] if is_negative else right
        kind = "negative" if is_negative else "positive"
        yield f"{kind}, as it is padded", written(dataset), is_negative

        if "PixelPaddingValue" in dataset:
            padding = dataset["PixelPaddingValue"]
            del dataset.PixelPaddingValue
            yield f"{kind}, without padding", written(dataset), is_negative
            dataset[padding.tag] = padding


def air_of(grey: Grey) -> NDArray[np.bool_]:
    """Return the mask of the darkest pixels that are connected with the frame."""
    dark = (grey <= MAX_AIR).astype(np.uint8)
    _, components = cv2.connectedComponents(dark)
    frame = np.concatenate([components[0], components[-1], components[:, 0], components[:, -1]])
    return np.asarray(np.isin(components, np.unique(frame[frame > 0])), bool)


def png(samples: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """Return the samples as PNG."""
    return cv2.imencode(".png", samples, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def dicom(stored: NDArray[np.uint16], padding: int | None) -> bytes:
    """Return 12-bit values as an uncompressed MONOCHROME2 mammogram."""
    dataset = Dataset()
    dataset.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID = generate_uid()
    dataset.Modality = "MG"
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated = 16
    dataset.BitsStored = 12
    dataset.HighBit = 11
    dataset.PixelRepresentation = 0
    dataset.WindowCenter = 2048
    dataset.WindowWidth = 4096
    if padding is not None:
        dataset.PixelPaddingValue = padding
    dataset.PixelData = stored.tobytes()

    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return written(dataset)


def written(dataset: Dataset) -> bytes:
    """Return the dataset as a file."""
    stream = BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()


if __name__ == "__main__":
    main()
