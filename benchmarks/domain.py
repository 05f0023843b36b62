"""Shows what single images are told about themselves: the figures and warnings of phantoms and of any other images.

    python -m benchmarks.domain [--most 100] [FOLDER ...]

Every image of the folders, up to `--most` of each, goes through the pipeline as with `/gradcam?diagnostics=full`, and
so do as many unseen phantoms of the demo experiment; for the rate of warnings all of these are explained by default.
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
from service.runtime import load_model
from service.settings import Settings
from training.config import load_experiment
from training.data.split import split_records
from training.data.table import load_records

EXPERIMENT = Path("training/experiments/demo.toml")
FULL = pipeline.Question(full=True)
OURS = ("out-of-domain", "unusual-", "heatmap-", "peak-outside", "heat-outside")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, help="folders of images")
    parser.add_argument("--most", type=int, default=100, help="images of each folder (default 100)")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")
    model = load_model(Settings())
    phantoms = unseen()
    sets = {
        "phantoms": list(
            explain(model, phantoms[:: max(1, len(phantoms) // options.most)][: options.most], FULL)
        )
    }
    for folder in options.folders:
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        sets[folder.name] = list(explain(model, files[: options.most], FULL))
    table(sets)
    codes = Counter(
        code
        for found in explain(model, phantoms, pipeline.Question())
        for code in ours(found) or {"none"}
    )
    print(f"\nwith default diagnostics, of all {len(phantoms)} unseen phantoms:")
    print(
        "\n".join(
            f"{code:<28}{count / len(phantoms):>20.1%}" for code, count in sorted(codes.items())
        )
    )


SUFFIXES = {".dcm", ".png", ".pgm", ".jpg", ".jpeg", ".tif", ".tiff"}


def unseen() -> list[Path]:
    """The files of the demo experiment's test part."""
    experiment = load_experiment(EXPERIMENT)
    records = split_records(load_records(experiment), experiment.split).test
    return [record.locate(experiment.data.images) for record in records]


def explain(
    model: Model, files: Iterable[Path], question: pipeline.Question
) -> Iterator[Explanation]:
    """The explanations of those that can be read."""
    for path in tqdm(list(files), unit="image", leave=False):
        try:
            yield pipeline.explain(model, read, path.read_bytes(), Stopwatch(), question)
        except ImageError as error:
            print(f"one image is refused: {error}")


def table(sets: dict[str, list[Explanation]]) -> None:
    """The 5th, 50th and 95th percentile of each figure by set, and the share of images with each warning."""
    print(
        f"\n{'figure':<20}"
        + "".join(f"{f'{name} ({len(found)})':>28}" for name, found in sets.items())
    )
    names = dict.fromkeys(
        itertools.chain.from_iterable(each.diagnostics for found in sets.values() for each in found)
    )
    for name in names:
        cells = []
        for found in sets.values():
            values = [each.diagnostics[name].value for each in found if name in each.diagnostics]
            low, middle, high = np.percentile(values, (5, 50, 95))
            cells.append(f"{low:.3g} {middle:.3g} {high:.3g}")
        print(f"{name:<20}" + "".join(f"{cell:>28}" for cell in cells))
    codes = {
        name: Counter(code for each in found for code in ours(each)) for name, found in sets.items()
    }
    print()
    for code in sorted(set().union(*codes.values())):
        print(
            f"{code:<28}"
            + "".join(f"{codes[name][code] / len(sets[name]):>20.1%}" for name in sets)
        )
    some = {
        name: sum(bool(ours(each)) for each in found) / len(found) for name, found in sets.items()
    }
    print(f"{'any of them':<28}" + "".join(f"{share:>20.1%}" for share in some.values()))


def ours(explained: Explanation) -> set[str]:
    """The codes of the warnings that are about the explanation, not the file."""
    return {warning.code for warning in explained.warnings if warning.code.startswith(OURS)}


if __name__ == "__main__":
    main()
