r"""Compare networks by their cross-validations on the same images.

    python -m benchmarks.networks --name "Lite0, ImageNet" runs/a-seed0 runs/a-seed1 \
        --name CNN runs/b-seed0 runs/b-seed1 --minus CNN [--out build/networks]

`--name` takes the name of a network, and its run directories: one cross-validation for each seed.
Every run must have the same images, labels and folds. `--minus` names a network that is subtracted
from every other, and may be repeated. The floors are those of the first run.

The tables are printed, and written to `networks.md`, with all figures in `networks.json` and a plot
in `networks.png`. No file names a patient.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.networks.comparison_report import markdown, write_report
from benchmarks.networks.network_comparison import compare_networks
from benchmarks.networks.validated_runs import read_validated_run, require_same_images
from training.errors import TrainingError


def main() -> None:
    """Print and write the comparison."""
    parser = _parser()
    options = parser.parse_args()
    for name, *directories in options.name:
        if not directories:
            parser.error(f"--name {name} needs a run directory")

    try:
        runs = [
            read_validated_run(name, Path(directory))
            for name, *directories in options.name
            for directory in directories
        ]
        require_same_images(runs)
        comparison = compare_networks(runs, options.minus)
    except TrainingError as error:
        sys.exit(str(error))

    print(markdown(comparison), end="")
    write_report(options.out, comparison)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.networks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--name",
        action="append",
        nargs="+",
        required=True,
        metavar="NAME RUN",
        help="name of a network, then its run directories",
    )
    parser.add_argument(
        "--minus", action="append", default=[], help="network that is subtracted from the others"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("build/networks"), help="folder of the files"
    )
    return parser


if __name__ == "__main__":
    main()
