r"""Train the networks that `benchmarks.networks` compares, on a set that you have.

    python -m benchmarks.networks.trainings --table labels.csv --images '/data/rsna640/{file}' \
        --weights weights/efficientnet-lite0.keras --out runs/networks

The table needs a column `fold` with 0, 1 and 2. Every network is cross-validated on these folds
with three seeds:

- lite0: EfficientNet-Lite0 with the weights of --weights, trained as
  training/experiments/rsna-lite0.toml says;
- cnn: the CNN, trained as training/experiments/demo.toml says, at 256 x 160;
- scratch: EfficientNet-Lite0 from random weights, otherwise as lite0.

The recipes and the seeds were fixed before the test folds were opened. An interrupted call goes on.
"""

import argparse
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.load.servers import ROOT

SEEDS = (11, 12, 13)
FOLDS = ("0", "1", "2")
VALIDATION = 0.2
"""Share of the patients of the other folds that a round is chosen on."""

_EXPERIMENTS = ROOT / "training" / "experiments"


def main() -> None:
    """Write an experiment for each network and seed, and cross-validate it."""
    options = _parser().parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    for seed in options.seeds:
        for network in options.networks:
            path = options.out / f"{network}-{seed}.toml"
            path.write_text(_toml(_experiment(network, seed, options)), encoding="utf-8")
            _run("prepare", str(path))

            began = time.monotonic()
            run = options.out / f"{network}-{seed}"
            _run("cross-validate", str(path), "--run", str(run), "--no-pictures")
            print(f"{network}, seed {seed}: {time.monotonic() - began:.0f} s", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.networks.trainings",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--table", required=True, help="table with a column `fold`")
    parser.add_argument("--images", required=True, help="path template of the images")
    parser.add_argument("--weights", required=True, help="file made by `training weights`")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs and the cache")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="default: 11 12 13")
    parser.add_argument(
        "--networks",
        nargs="+",
        choices=("lite0", "cnn", "scratch"),
        default=("lite0", "cnn", "scratch"),
        help="default: all",
    )
    return parser


def _experiment(network: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Return the sections of an experiment."""
    recipe = "demo" if network == "cnn" else "rsna-lite0"
    sections = tomllib.loads((_EXPERIMENTS / f"{recipe}.toml").read_text(encoding="utf-8"))
    sections |= {
        "data": {
            "table": options.table,
            "images": options.images,
            "cache": str(options.out / "cache"),
        },
        "split": {"by": "cross-validation", "folds": list(FOLDS), "validation": VALIDATION},
    }
    sections["training"]["seed"] = seed
    if network == "cnn":
        sections["fit"] |= {"height": 256, "width": 160}
    if network == "lite0":
        sections["network"]["init"] = options.weights
    if network == "scratch":
        del sections["network"]["init"]
    return sections


def _toml(sections: Mapping[str, Mapping[str, Any]]) -> str:
    """Return sections of plain values as TOML, in which strings and lists look as in Python."""
    return "\n".join(
        line
        for name, values in sections.items()
        for line in (f"[{name}]", *(f"{key} = {_value(value)}" for key, value in values.items()))
    )


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _run(*arguments: str) -> None:
    """Run a command of training. A failure ends this program."""
    outcome = subprocess.run([sys.executable, "-m", "training", *arguments], check=False)  # noqa: S603
    if outcome.returncode != 0:
        sys.exit(outcome.returncode)


if __name__ == "__main__":
    main()
