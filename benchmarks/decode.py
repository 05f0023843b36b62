"""Measures file bytes to model input, for every transfer syntax, against pydicom and the same calibration and fit.

    python -m benchmarks.decode [--rounds 7] [--rows 3328] [--columns 2560] [FILE ...]

Both are measured in turn in one run; the medians' ratio counts. "service" is the isolated reader that the service uses,
with its way to another process and back; "here" is the same code in this process. pydicom decodes with the plugin that
it takes by itself; where none of its plugins can, there is a dash. MiB is the largest that the reader's process was.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from pydicom import dcmread
from pydicom.pixels.decoders.base import get_decoder

from benchmarks.timing import measure, phantom_files
from service.imaging import Limits, fit, read
from service.imaging.dicom.elements import open_file
from service.imaging.dicom.header import read_header
from service.records import FitParameters, Fitted, Pixels
from service.runtime.readers import ReaderPool
from training.phantoms.transfer import SYNTAXES

GRID = FitParameters(256, 192)
SAME = 0.012  # mean difference of model inputs, of 1: the tolerance of reduced resolution


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        help="DICOM files; default: a phantom in every transfer syntax",
    )
    parser.add_argument(
        "--rounds", type=int, default=7, help="times that each is measured (default 7)"
    )
    parser.add_argument("--rows", type=int, default=3328, help="of the phantom (default 3328)")
    parser.add_argument("--columns", type=int, default=2560, help="of the phantom (default 2560)")
    options = parser.parse_args()
    files = {path.name: path.read_bytes() for path in options.files} or phantom_files(
        SYNTAXES, options.rows, options.columns
    )
    print(
        f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}, median of {options.rounds} in milliseconds"
    )
    print(
        f"{'file':<23}{'MB':>6}{'pydicom':>9}{'here':>7}{'service':>9}{'/ here':>9}{'/service':>9}{'MiB':>8}  plugin"
    )
    for name, data in files.items():
        compare(name, data, options.rounds)


def compare(name: str, data: bytes, rounds: int) -> None:
    """Prints a row."""
    table = display_table(data)
    reader = ReaderPool(1, Limits())
    reader(data, GRID)
    ways: dict[str, Callable[[], object]] = {
        "here": lambda: read(data, GRID),
        "service": lambda: reader(data, GRID),
    }
    plugin = plugin_of(data)
    if plugin:
        ways["pydicom"] = lambda: by_pydicom(data, table)
        difference = np.abs(by_pydicom(data, table).image - read(data, GRID).fitted.image).mean()
        if difference > SAME:
            sys.exit(
                f"{name}: the two ways give different model inputs, by {difference:.3f} on average"
            )
    times = measure(ways, rounds)
    here, service, pydicom = times["here"], times["service"], times.get("pydicom")
    row = f"{name[:22]:<23}{len(data) / 1e6:>6.1f}{f'{pydicom:.0f}' if pydicom else '-':>9}{here:>7.0f}{service:>9.0f}"
    row += f"{pydicom / here:>9.1f}{pydicom / service:>9.1f}" if pydicom else f"{'-':>9}{'-':>9}"
    print(f"{row}{reader.peak_memory_bytes / 2**20:>8.0f}  {plugin or '-'}", flush=True)
    reader.close()


def display_table(data: bytes) -> Pixels:
    """The grey value of every stored value, which neither way is to be timed for working out."""
    syntax, start = open_file(data)
    header = read_header(data, syntax, start, Limits().max_dataset_bytes)
    assert header is not None  # noqa: S101 - these files have images
    return header.calibration.display_table()


def by_pydicom(data: bytes, table: Pixels) -> Fitted:
    """The model input of pixels that pydicom decoded, by this project's calibration and fit."""
    patterns = dcmread(BytesIO(data)).pixel_array
    patterns = patterns.astype(
        patterns.dtype.newbyteorder("="), copy=False
    )  # OpenCV knows no other
    return fit(np.asarray(cv2.LUT(patterns, table), np.uint16), GRID)


def plugin_of(data: bytes) -> str | None:
    """The plugin by which pydicom decodes the file; None where it cannot."""
    dataset = dcmread(BytesIO(data))
    try:
        _ = dataset.pixel_array
    except (RuntimeError, NotImplementedError):
        return None
    syntax = dataset.file_meta.TransferSyntaxUID
    return get_decoder(syntax).available_plugins[0] if syntax.is_encapsulated else "itself"


if __name__ == "__main__":
    main()
