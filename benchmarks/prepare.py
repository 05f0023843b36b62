"""Size and time of prepared images, for phantoms and for files that you have.

    python -m benchmarks.prepare [--phantoms 12] [--files DIRECTORY]

Every image is prepared for three grids: decoded, fitted, encoded and written into a shard in a
temporary folder. Then it is read back as training reads it, in random order. The table has the mean
size and the median milliseconds of an image, with the files in memory and one thread. `raw`: its
size with 16 bits a pixel and a byte for the breast mask.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from service.records import FitParameters
from training.data.cache import Part
from training.data.cache_shards import read_shards
from training.data.prepare_workers import ImageJob, Outcome, prepare_image
from training.data.shard_writer import write_shard
from training.data.table import Record
from training.phantoms import write_dataset

GRIDS = ((256, 192), (1024, 768), (2048, 1024))
ROUNDS = 3

Result = TypeVar("Result")


def main() -> None:
    """Print a row for each grid and source of images."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--phantoms", type=int, default=12, help="number of phantoms to render (default 12)"
    )
    parser.add_argument("--files", type=Path, help="folder of image files to measure, too")
    options = parser.parse_args()
    cv2.setNumThreads(1)

    with tempfile.TemporaryDirectory() as temporary:
        sources = {"phantoms": _phantoms(Path(temporary, "phantoms"), options.phantoms)}
        if options.files is not None:
            sources["files"] = sorted(path for path in options.files.iterdir() if path.is_file())

        print("| images | number | unusable | grid | kB | raw kB | prepare ms | read ms |")
        print(f"|{'---|' * 8}")
        for name, paths in sources.items():
            for height, width in GRIDS:
                folder = Path(temporary, f"{name}-{height}")
                folder.mkdir()
                print(f"| {name} | {_row(paths, FitParameters(height, width), folder)} |")


def _phantoms(folder: Path, count: int) -> list[Path]:
    """Render at least one phantom, four from each patient, and return the paths of `count`."""
    write_dataset(folder, patients=-(-count // 4), seed=1, cancer_rate=0.5, workers=1)
    return sorted((folder / "train_images").rglob("*.dcm"))[:count]


def _row(paths: Sequence[Path], parameters: FitParameters, folder: Path) -> str:
    """Prepare the files into a folder and read them back. Return the cells of the table."""
    preparing: list[float] = []

    def prepared(number: int, path: Path) -> Outcome:
        job = ImageJob(("patient", str(number)), path, parameters)
        return _timed(partial(prepare_image, job), preparing)

    write_shard(folder, (prepared(number, path) for number, path in enumerate(paths)))
    entries = [entry for entry in read_shards(folder).entries().values() if not entry.row.error]
    grid = f"{parameters.height}x{parameters.width}"
    if not entries:
        return f"{len(paths)} | {len(paths)} | {grid} | - | - | - | -"

    records = [Record(*entry.row.key, "L", "CC", cancer=False) for entry in entries]
    part = Part(tuple(records), tuple(entries))
    reading: list[float] = []
    for index in np.random.default_rng(0).permutation(np.tile(np.arange(len(part)), ROUNDS)):
        _timed(partial(part.images, [index]), reading)

    size = statistics.mean(entry.row.length for entry in entries) / 1e3
    raw = 3 * parameters.height * parameters.width / 1e3
    times = f"{statistics.median(preparing):.1f} | {statistics.median(reading):.2f}"
    unusable = len(paths) - len(entries)
    return f"{len(paths)} | {unusable} | {grid} | {size:.0f} | {raw:.0f} | {times}"


def _timed(work: Callable[[], Result], times: list[float]) -> Result:
    """Return the result of the work, and add its milliseconds to the list."""
    start = time.perf_counter()
    result = work()
    times.append((time.perf_counter() - start) * 1e3)
    return result


if __name__ == "__main__":
    main()
