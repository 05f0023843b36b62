"""Speed of training on each backend, and time and memory of the commands at 1024 x 768.

    python -m benchmarks.training_costs speed [--steps 20] [--backends tensorflow jax]
    python -m benchmarks.training_costs memory [--patients 12] [--phantoms FOLDER] [--before TREE]

`speed` measures the median step of networks with random weights on random images in memory, each
in a process of its own: the CNN of the demo at 256 x 192, and EfficientNet-Lite0 at 256 x 160.

`memory` runs `prepare`, `train` for one epoch, `evaluate` and `scorecard --effort quick` with the
CNN of the demo on phantoms. It tells the seconds of each, and the largest memory of one process.
`--before` runs the same commands of another checkout of the project, too, in turn. `--phantoms`
takes phantoms that were written before.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.peers.starts import install
from training.phantoms import write_dataset

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "training" / "experiments" / "demo.toml"
HEIGHT = 1024
WIDTH = 768
BATCHES = (8, 16)
LITE0 = '[network]\nkind = "efficientnet-lite0"\n'
NETWORKS: Mapping[str, tuple[int, int, str | None]] = {
    "CNN": (256, 192, None),
    "EfficientNet-Lite0": (256, 160, LITE0),
}
"""Height, width and section of each network. None is that of the demo."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a command, and the largest resident memory of one of its processes, in MB."""

    seconds: float
    megabytes: float


def main() -> None:
    """Print the table of one command."""
    options = _parser().parse_args()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, {time.strftime('%Y-%m-%d')}\n")

    with tempfile.TemporaryDirectory() as temporary:
        if options.command == "speed":
            _compare_speed(Path(temporary), options.backends, options.steps)
        else:
            _compare_memory(Path(temporary), options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, dest="command")
    speed = commands.add_parser("speed")
    speed.add_argument("--steps", type=int, default=20, help="steps that are measured")
    speed.add_argument("--backends", nargs="+", default=["tensorflow", "jax"])

    memory = commands.add_parser("memory")
    memory.add_argument("--patients", type=int, default=12, help="phantoms to render, four each")
    memory.add_argument("--phantoms", type=Path, help="folder written by `training phantoms`")
    memory.add_argument("--before", type=Path, help="another checkout of the project")
    return parser


def _compare_speed(folder: Path, backends: Sequence[str], steps: int) -> None:
    """Print a row for each network, batch and backend."""
    print("| network | grid | batch | backend | ms a step | steps/s | images/s | MB |")
    print(f"|{'---|' * 8}")
    for name, (height, width, section) in NETWORKS.items():
        experiment = folder / f"{name}.toml"
        experiment.write_text(_experiment(height, width, section), encoding="utf-8")
        for batch in BATCHES:
            for backend in backends:
                seconds, megabytes = _step(experiment, backend, batch, steps)
                cells = [f"{1e3 * seconds:.0f}", f"{1 / seconds:.2f}", f"{batch / seconds:.1f}"]
                row = [name, f"{height}x{width}", str(batch), backend, *cells, f"{megabytes:.0f}"]
                print(f"| {' | '.join(row)} |", flush=True)


def _step(experiment: Path, backend: str, batch: int, steps: int) -> tuple[float, float]:
    """Return the median seconds of a step in a process with this backend, and its memory in MB."""
    arguments = (str(experiment), str(batch), str(steps))
    python = install("engines") if backend == "jax" else sys.executable
    outcome = subprocess.run(  # noqa: S603 - fixed arguments
        [python, "-m", "benchmarks.training_steps", *arguments],
        env={**os.environ, "KERAS_BACKEND": backend},
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, megabytes = outcome.stdout.split()[-2:]
    return float(seconds), float(megabytes)


def _compare_memory(folder: Path, options: argparse.Namespace) -> None:
    """Print the costs of each command, and beside them those of the other checkout."""
    phantoms = options.phantoms or folder / "phantoms"
    if options.phantoms is None:
        write_dataset(
            phantoms,
            patients=options.patients,
            seed=1,
            cancer_rate=0.5,
            workers=os.cpu_count() or 1,
        )

    trees = {"now": ROOT, **({"before": options.before} if options.before else {})}
    commands = {name: _commands(folder / name, phantoms.resolve()) for name in trees}
    heads = [f"{what} {name}" for name in trees for what in ("s", "MB")]
    print(f"| command | {' | '.join(heads)} |\n|{'---|' * (1 + len(heads))}")
    for step in next(iter(commands.values())):
        costs = [_run(commands[name][step], tree) for name, tree in trees.items()]
        cells = [cell for one in costs for cell in (f"{one.seconds:.1f}", f"{one.megabytes:.0f}")]
        print(f"| {step} | {' | '.join(cells)} |", flush=True)


def _commands(folder: Path, phantoms: Path) -> dict[str, tuple[str, ...]]:
    """Write the experiment, and return the arguments of each command."""
    folder.mkdir()
    text = _experiment(HEIGHT, WIDTH, None)
    replaced = {
        "data/phantoms": str(phantoms),
        "data/cache": str(folder / "cache"),
        "epochs = 10": "epochs = 1",
        "validation = 0.15": "validation = 0.3",
    }
    for old, new in replaced.items():
        text = text.replace(old, new)

    experiment = folder / "costs.toml"
    experiment.write_text(text, encoding="utf-8")
    run = str(folder / "run")
    return {
        "prepare": ("prepare", str(experiment), "--workers", "2"),
        "train": ("train", str(experiment), "--run", run),
        "evaluate": ("evaluate", run),
        "scorecard": ("scorecard", run, "--effort", "quick"),
    }


def _experiment(height: int, width: int, section: str | None) -> str:
    """Return the demo's experiment on another grid, with another section [network] or its own."""
    text = DEMO.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^height = \d+", f"height = {height}", text)
    text = re.sub(r"(?m)^width = \d+", f"width = {width}", text)
    if section is None:
        return text

    head, _, rest = text.partition("[network]")
    return f"{head}{section}\n[augmentation]{rest.partition('[augmentation]')[2]}"


def _run(arguments: Sequence[str], tree: Path) -> Cost:
    """Run a command of a checkout.

    Raises:
        CalledProcessError: it failed.
    """
    start = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - fixed arguments
        [sys.executable, "-m", "training", *arguments],
        cwd=tree,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None  # noqa: S101
        message = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)

    if process.returncode != 0:
        sys.exit(f"{' '.join(arguments)} failed in {tree}:\n{message.decode()}")
    return Cost(time.perf_counter() - start, usage.ru_maxrss / 1e3)


if __name__ == "__main__":
    main()
