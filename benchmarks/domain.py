"""Shows the figures and warnings of single images, for unseen phantoms and for any other images.

    python -m benchmarks.domain [--most 100] [FOLDER ...]

Up to `--most` images of each folder go through the pipeline as with `/gradcam?diagnostics=full`. So
do up to `--most` unseen phantoms of the demo experiment. For the rate of warnings, all unseen
phantoms are also explained with default diagnostics.
"""

import argparse
import itertools
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from service import pipeline
from service.errors import ImageError
from service.imaging import read
from service.model import Model
from service.observability.stopwatch import Stopwatch
from service.pipeline import Explanation
from service.runtime.model_loader import load_model
from service.settings import Settings
from training.config_files import load_experiment
from training.data.split import split_records
from training.data.table import load_records

EXPERIMENT = Path("training/experiments/demo.toml")
SUFFIXES = {".dcm", ".png", ".pgm", ".jpg", ".jpeg", ".tif", ".tiff"}
FULL = pipeline.Question(full=True)
EXPLANATION_CODES = ("out-of-domain", "unusual-", "heatmap-", "peak-outside", "heat-outside")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, help="folders of images")
    parser.add_argument(
        "--most",
        type=int,
        default=100,
        help="maximum number of images of each folder (default 100)",
    )
    options = parser.parse_args()

    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")
    model = load_model(Settings())

    # Full diagnostics, of evenly spread phantoms and of the first images of each folder.
    phantoms = unseen()
    spread = phantoms[:: max(1, len(phantoms) // options.most)][: options.most]
    sets = {"phantoms": list(explain(model, spread, FULL))}
    for folder in options.folders:
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        name = "/".join(folder.resolve().parts[-2:])  # many folders are named "images"
        sets[name] = list(explain(model, files[: options.most], FULL))
    table(sets)

    # Default diagnostics, of all unseen phantoms.
    codes = Counter(
        code
        for explained in explain(model, phantoms, pipeline.Question())
        for code in explanation_codes(explained) or {"none"}
    )
    print(f"\nwith default diagnostics, of all {len(phantoms)} unseen phantoms:")
    for code, count in sorted(codes.items()):
        print(f"{code:<28}{count / len(phantoms):>20.1%}")


def unseen() -> list[Path]:
    """Return the files of the test part of the demo experiment."""
    experiment = load_experiment(EXPERIMENT)
    records = split_records(load_records(experiment), experiment.split).test
    return [record.image for record in records]


def explain(
    model: Model, files: Iterable[Path], question: pipeline.Question
) -> Iterator[Explanation]:
    """Yield the explanations of the readable files. Print why the others are refused."""
    for path in tqdm(list(files), unit="image", leave=False):
        try:
            yield pipeline.explain(model, read, path.read_bytes(), Stopwatch(), question)
        except ImageError as error:
            print(f"one image is refused: {error}")


def table(sets: dict[str, list[Explanation]]) -> None:
    """Print percentiles (5th, 50th, 95th) of each figure and rates of warnings, by set."""
    _print_figures(sets)
    print()
    _print_warnings(sets)


def _print_figures(sets: dict[str, list[Explanation]]) -> None:
    """Print the percentiles of each figure."""
    print(
        f"\n{'figure':<20}"
        + "".join(f"{f'{name} ({len(members)})':>28}" for name, members in sets.items())
    )

    names = dict.fromkeys(
        itertools.chain.from_iterable(
            explained.diagnostics for members in sets.values() for explained in members
        )
    )
    for name in names:
        cells = []
        for members in sets.values():
            values = [
                explained.diagnostics[name].value
                for explained in members
                if name in explained.diagnostics
            ]
            low, middle, high = np.percentile(values, (5, 50, 95))
            cells.append(f"{low:.3g} {middle:.3g} {high:.3g}")
        print(f"{name:<20}" + "".join(f"{cell:>28}" for cell in cells))


def _print_warnings(sets: dict[str, list[Explanation]]) -> None:
    """Print the share of images with each warning, and with any of them."""
    codes = {
        name: Counter(code for explained in members for code in explanation_codes(explained))
        for name, members in sets.items()
    }
    for code in sorted(set().union(*codes.values())):
        print(
            f"{code:<28}"
            + "".join(f"{codes[name][code] / len(sets[name]):>20.1%}" for name in sets)
        )

    shares = [
        sum(bool(explanation_codes(explained)) for explained in members) / len(members)
        for members in sets.values()
    ]
    print(f"{'any of them':<28}" + "".join(f"{share:>20.1%}" for share in shares))


def explanation_codes(explained: Explanation) -> set[str]:
    """Return the codes of the warnings about the explanation, without those about the file."""
    return {
        warning.code for warning in explained.warnings if warning.code.startswith(EXPLANATION_CODES)
    }


if __name__ == "__main__":
    main()
