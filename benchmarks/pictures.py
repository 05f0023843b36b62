"""Measures the cost of pictures, beside a prediction and beside a bare decode of the same pixels.

    python -m benchmarks.pictures [FILE ...] [--bundle models/mine/1] [--rounds 7] [--skip-small]

Three tables, each measured in turn in one run, so the ratios count:

1. Over HTTP, for each file: `/predict`, `/gradcam` and its pictures at the default size.
2. Over HTTP, for each file: pictures at the size of the source, beside a bare decode of the file's
   whole pixels in this process.
3. In this process, for small phantoms in several codings: `service.imaging.read` as the reader
   processes call it, without and with a picture, beside a bare decode.

A bare decode turns the coded pixels into an array, with the decoder that the service uses, and does
nothing else. Without files, a phantom of 5355 x 4915 pixels in JPEG 2000 is used.
"""

import argparse
import math
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path

import cv2
import httpx
import imagecodecs
import numpy as np
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from pydicom import dcmread
from pydicom.encaps import generate_frames

from benchmarks.load.servers import DEMO
from benchmarks.serve import post, running
from benchmarks.timing import measure, phantom_files
from service.imaging import decode, read
from service.records import FitParameters
from training.phantoms.transfer import Syntax

GRID = FitParameters(256, 192)
LARGE = (5355, 4915)
SMALL = ((960, 720), (1000, 800), (1400, 1100))
SYNTAXES: tuple[Syntax, ...] = (
    "explicit",
    "rle",
    "jpeg",
    "jpeg-lossless-sv1",
    "jpeg-ls",
    "jpeg2000",
    "htj2k",
)
PICTURES = ("/gradcam.png", "/gradcam.jpeg", "/gradcam.webp")
Ways = Mapping[str, Callable[[], object]]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, help="DICOM files; default: a phantom")
    parser.add_argument(
        "--bundle", type=Path, default=DEMO, help="version directory (default: the demo)"
    )
    parser.add_argument("--rounds", type=int, default=7, help="of each measurement (default 7)")
    parser.add_argument("--skip-small", action="store_true", help="leave the third table out")
    options = parser.parse_args()

    files = {path.name: path.read_bytes() for path in options.files} or phantom_files(
        ["jpeg2000"], *LARGE
    )
    print(
        f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}, "
        f"median of {options.rounds} in milliseconds"
    )
    with running(options.bundle) as (client, _):
        for name, data in files.items():
            _compare_requests(name, data, client, options.rounds)
            _compare_source_size(name, data, client, options.rounds)
    if not options.skip_small:
        _compare_small(options.rounds)


def _compare_requests(name: str, data: bytes, client: httpx.Client, rounds: int) -> None:
    routes = ("/predict", "/gradcam", *PICTURES)
    ways = {route: partial(post, client, route, data) for route in routes}
    _print_ratios(f"{name} over HTTP", ways, "/predict", rounds)


def _compare_source_size(name: str, data: bytes, client: httpx.Client, rounds: int) -> None:
    routes = [f"{route}?size=source" for route in PICTURES]
    ways = {route: partial(post, client, route, data) for route in routes}
    _print_ratios(f"{name} over HTTP", {"bare decode": bare_decode(data)} | ways, "", rounds)


def _compare_small(rounds: int) -> None:
    print("\n| pixels | coding | bare decode | read | ratio | with a picture | ratio |")
    print("|---|---|---|---|---|---|---|")
    for rows, columns in SMALL:
        for coding, data in small_files(rows, columns).items():
            ways: Ways = {
                "bare": bare_decode(data),
                "read": partial(read, data, GRID),
                "picture": partial(read, data, GRID, math.inf),
            }
            bare, plain, picture = measure(ways, rounds).values()
            print(
                f"| {rows} x {columns} | {coding} | {bare:.1f} | {plain:.1f} | {plain / bare:.1f} "
                f"| {picture:.1f} | {picture / bare:.1f} |",
                flush=True,
            )


def _print_ratios(title: str, ways: Ways, base: str, rounds: int) -> None:
    """Print the median of each way, and its ratio to the base or else to the first way."""
    for way in ways.values():
        way()
    milliseconds = measure(ways, rounds)

    base = base or next(iter(ways))
    print(f"\n| {title} | ms | over {base} |\n|---|---|---|")
    for name, spent in milliseconds.items():
        print(f"| `{name}` | {spent:.0f} | {spent / milliseconds[base]:.2f} |", flush=True)


def small_files(rows: int, columns: int) -> dict[str, bytes]:
    """Return a phantom of that size in DICOM's codings, as PNG of 16 bits and as JPEG."""
    files = phantom_files(SYNTAXES, rows, columns)
    pixels = decode(files["explicit"]).pixels
    jpeg = cv2.imencode(".jpg", (pixels >> 8).astype(np.uint8))[1].tobytes()
    return files | {"PNG": cv2.imencode(".png", pixels)[1].tobytes(), "JPEG": jpeg}


def bare_decode(data: bytes) -> Callable[[], object]:
    """Return the decoding of the whole pixels of a file, and of nothing else."""
    rasters = {b"\x89P": PngImageFile, b"\xff\xd8": JpegImageFile}
    if data[:2] in rasters:
        return lambda: np.asarray(rasters[data[:2]](BytesIO(data)))

    dataset = dcmread(BytesIO(data))
    syntax = dataset.file_meta.TransferSyntaxUID
    word = np.dtype(f"<u{dataset.BitsAllocated // 8}")
    if not syntax.is_encapsulated:
        return lambda: np.frombuffer(dataset.PixelData, word).copy()

    coded = next(generate_frames(dataset.PixelData, number_of_frames=1))
    if "2000" in syntax.name:
        return lambda: np.asarray(Jpeg2KImageFile(BytesIO(coded)))
    if "RLE" in syntax.name:
        return lambda: imagecodecs.dicomrle_decode(coded, word)
    return partial(
        imagecodecs.jpegls_decode if "JPEG-LS" in syntax.name else imagecodecs.jpeg8_decode, coded
    )


if __name__ == "__main__":
    main()
