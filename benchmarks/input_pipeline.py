"""Speed of the batches of training: images a second by grid and number of workers.

    python -m benchmarks.input_pipeline [--phantoms 12] [--files FOLDER] [--workers 1 2]
        [--rounds 3] [--before TREE]

Images are prepared on each grid, and epochs of them are read with the augmentation of the demo.
Nothing is trained meanwhile. `a second` is by the clock. `a CPU second` counts the time of all
threads of the process, and so depends less on what else the machine does. Every measurement is a
process of its own, and the table tells the median of the rounds.

`--files`: image files in place of phantoms. `--before`: another checkout of the project, measured
in turn. A version that has no workers is measured in its one thread, for each number of workers.
"""

import argparse
import inspect
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from service.records import FitParameters
from training.config_files import load_experiment
from training.data.batches import epoch_batches
from training.data.cache import Part
from training.data.cache_shards import read_shards
from training.data.prepare_workers import ImageJob, prepare_image
from training.data.shard_writer import write_shard
from training.data.table import Record
from training.phantoms import write_dataset

ROOT = Path(__file__).parents[1]
GRIDS = ((256, 192), (1024, 768), (2048, 1024))
SECONDS = 4
"""Shortest time of a measurement. Whole epochs are read."""

DEMO = ROOT / "training" / "experiments" / "demo.toml"


def main() -> None:
    """Print the table, or the figures of one measurement as JSON."""
    options = _parser().parse_args()
    if options.measure is not None:
        print(json.dumps(_measure(options.measure, options.workers[0])))
        return

    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}\n")
    trees = {"now": ROOT} | ({"before": options.before} if options.before is not None else {})
    print("| grid | workers | version | images a second | images a CPU second |")
    print(f"|{'---|' * 5}")

    with tempfile.TemporaryDirectory() as temporary:
        paths = _images(Path(temporary), options)
        for height, width in GRIDS:
            folder = Path(temporary, f"{height}x{width}")
            _prepare(paths, FitParameters(height, width), folder)
            for workers in options.workers:
                _print_rows(folder, workers, trees, options.rounds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--phantoms", type=int, default=12, help="number of phantoms (default 12)")
    parser.add_argument("--files", type=Path, help="folder of image files")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="default 1 2")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each (default 3)")
    parser.add_argument("--before", type=Path, help="another checkout of the project")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    return parser


def _images(folder: Path, options: argparse.Namespace) -> list[Path]:
    """Return the image files, or render phantoms."""
    if options.files is not None:
        return sorted(path for path in options.files.iterdir() if path.is_file())

    count: int = options.phantoms
    write_dataset(folder, patients=-(-count // 4), seed=1, cancer_rate=0.5, workers=1)
    return sorted((folder / "train_images").rglob("*.dcm"))[:count]


def _prepare(paths: Sequence[Path], parameters: FitParameters, folder: Path) -> None:
    """Write the usable images as a shard."""
    folder.mkdir()
    jobs = [ImageJob(("p", str(number)), path, parameters) for number, path in enumerate(paths)]
    write_shard(folder, map(prepare_image, jobs))


def _print_rows(folder: Path, workers: int, trees: dict[str, Path], rounds: int) -> None:
    """Measure the versions in turn, and print a row for each, and their ratio."""
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in trees}
    for _ in range(rounds):
        for name, tree in trees.items():
            figures[name].append(_in_process(folder, workers, tree))

    medians = {
        name: list(map(statistics.median, zip(*rows, strict=True)))
        for name, rows in figures.items()
    }
    for name, (by_clock, by_cpu) in medians.items():
        print(f"| {folder.name} | {workers} | {name} | {by_clock:.1f} | {by_cpu:.1f} |")
    if "before" in medians:
        pairs = zip(medians["now"], medians["before"], strict=True)
        ratios = " | ".join(f"{now / before:.2f}" for now, before in pairs)
        print(f"| {folder.name} | {workers} | now / before | {ratios} |", flush=True)


def _in_process(folder: Path, workers: int, tree: Path) -> tuple[float, float]:
    """Measure a version in a process of its own, which imports that version."""
    command = [sys.executable, "-P", __file__]
    arguments = ["--measure", str(folder), "--workers", str(workers)]
    environment = {**os.environ, "PYTHONPATH": str(tree.resolve())}
    done = subprocess.run(  # noqa: S603 - this file
        [*command, *arguments], env=environment, check=True, stdout=subprocess.PIPE
    )
    by_clock, by_cpu = json.loads(done.stdout)
    return by_clock, by_cpu


def _measure(folder: Path, workers: int) -> tuple[float, float]:
    """Return images a second, and images a second of all threads, of whole epochs."""
    entries = [entry for entry in read_shards(folder).entries().values() if not entry.row.error]
    records = [
        Record(*entry.row.key, "L", "CC", cancer=number % 2 == 0)
        for number, entry in enumerate(entries)
    ]
    part = Part(tuple(records), tuple(entries))

    # The parameter is absent in versions that have no workers.
    demo = load_experiment(DEMO)
    arguments: Any = (part, 0, demo.training, demo.augmentation)
    if "workers" in inspect.signature(epoch_batches).parameters:
        arguments = (*arguments, workers)

    images = 0
    clock = time.perf_counter()
    cpu = time.process_time()
    while time.perf_counter() - clock < SECONDS:
        images += sum(len(batch[0]) for batch in epoch_batches(*arguments))

    return images / (time.perf_counter() - clock), images / (time.process_time() - cpu)


if __name__ == "__main__":
    main()
