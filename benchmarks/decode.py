"""Measures file bytes to model input, for every transfer syntax, in comparison with pydicom.

    python -m benchmarks.decode [--rounds 7] [--rows 3328] [--columns 2560] [FILE ...]

All are measured in turn in one run, and the ratio of the medians counts. Calibration and fit are
the same for all.

    pydicom   decodes with the plugin that it selects by itself, or a dash if no plugin can
    here      the decoder of the service, in this process
    service   the same in the isolated reader process that the service uses, there and back
    MiB       peak memory of the reader process
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
from service.imaging.dicom.opening import open_dataset
from service.records import FitParameters, Fitted, Pixels
from service.runtime.readers import ReaderPool
from training.phantoms.transfer import SYNTAXES

GRID = FitParameters(256, 192)
# Maximum mean difference of model inputs (0..1): the tolerance of reduced resolution.
MAX_DIFFERENCE = 0.012


def main() -> None:
    """Print the table."""
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
        "--rounds", type=int, default=7, help="rounds of each measurement (default 7)"
    )
    parser.add_argument("--rows", type=int, default=3328, help="rows of the phantom (default 3328)")
    parser.add_argument(
        "--columns", type=int, default=2560, help="columns of the phantom (default 2560)"
    )
    options = parser.parse_args()

    files = {path.name: path.read_bytes() for path in options.files} or phantom_files(
        SYNTAXES, options.rows, options.columns
    )

    print(
        f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}, "
        f"median of {options.rounds} in milliseconds"
    )
    print(
        f"{'file':<23}{'MB':>6}{'pydicom':>9}{'here':>7}{'service':>9}"
        f"{'/ here':>9}{'/service':>9}{'MiB':>8}  plugin"
    )
    for name, data in files.items():
        compare(name, data, options.rounds)


def compare(name: str, data: bytes, rounds: int) -> None:
    """Measure one file and print its row."""
    table = display_table(data)
    reader = ReaderPool(1, Limits())
    reader(data, GRID)  # starts the process

    ways: dict[str, Callable[[], object]] = {
        "here": lambda: read(data, GRID),
        "service": lambda: reader(data, GRID),
    }
    plugin = plugin_of(data)
    if plugin:
        ways["pydicom"] = lambda: by_pydicom(data, table)
        difference = np.abs(by_pydicom(data, table).image - read(data, GRID).fitted.image).mean()
        if difference > MAX_DIFFERENCE:
            sys.exit(f"{name}: model inputs differ from pydicom's by {difference:.3f} on average")

    times = measure(ways, rounds)
    here = times["here"]
    service = times["service"]
    pydicom = times.get("pydicom")

    row = f"{name[:22]:<23}{len(data) / 1e6:>6.1f}{f'{pydicom:.0f}' if pydicom else '-':>9}"
    row += f"{here:>7.0f}{service:>9.0f}"
    row += f"{pydicom / here:>9.1f}{pydicom / service:>9.1f}" if pydicom else f"{'-':>9}{'-':>9}"
    print(f"{row}{reader.peak_memory_bytes / 2**20:>8.0f}  {plugin or '-'}", flush=True)
    reader.close()


def display_table(data: bytes) -> Pixels:
    """Return the grey value of every stored value.

    It is computed once here, so that it is not part of pydicom's time.
    """
    calibration = open_dataset(data, Limits()).header().calibration
    patterns = 2**calibration.storage.bits_allocated
    return calibration.display_table(np.ones(patterns, np.uint8))


def by_pydicom(data: bytes, table: Pixels) -> Fitted:
    """Return the model input with pydicom as decoder and this project's calibration and fit."""
    patterns = dcmread(BytesIO(data)).pixel_array
    # OpenCV supports the native byte order only.
    patterns = patterns.astype(patterns.dtype.newbyteorder("="), copy=False)
    return fit(np.asarray(cv2.LUT(patterns, table), np.uint16), GRID)


def plugin_of(data: bytes) -> str | None:
    """Return the plugin with which pydicom decodes the file, or None if it cannot decode it."""
    dataset = dcmread(BytesIO(data))
    try:
        _ = dataset.pixel_array
    except (RuntimeError, NotImplementedError):
        return None

    syntax = dataset.file_meta.TransferSyntaxUID
    return get_decoder(syntax).available_plugins[0] if syntax.is_encapsulated else "itself"


if __name__ == "__main__":
    main()
