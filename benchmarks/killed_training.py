r"""Kills trainings at many moments, and compares them with one that nobody interrupted.

    python -m benchmarks.killed_training [--networks cnn lite0] [--kills 8] [--workers 2] \
        [--seed 0] [--keep FOLDER]

With KERAS_BACKEND=jax it needs an environment that has JAX, such as build/peers/engines, which
`make interop` installs.

Each network is trained on made-up images with every option that has a state: a running mean of the
weights, frozen epochs, a warm-up, a ratio of classes, several workers, bfloat16. The training is a
process of its own, which is killed (SIGKILL) and begun again, at these moments in turn. All of
them, and that which is not killed, fork from one that has imported the libraries and done no more.

    start       a moment drawn from the start of the process and its first epoch
    any         a moment drawn from the three epochs after its first
    checkpoint  a checkpoint has appeared, up to 30 ms ago: it may be half written
    history     an epoch is complete since up to 50 ms: old checkpoints are deleted, logs written
    validation  shortly before the next epoch is complete
    end         the network of the best epoch has appeared: it may be half written

The table has the state that each kill left. The last lines tell whether history, the network that
is kept and the last checkpoint with its optimiser are equal to the bit. The exit code is 1 if not.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import numpy as np

from benchmarks.discs import write_discs
from benchmarks.equal_runs import compare_runs
from training import commands
from training.fit.run import Run, read_json

EPOCHS = 8
PATIENTS = 40
POLL = 0.002
"""Seconds between two looks at the run directory."""

EXPERIMENT = """\
[data]
table = "{root}/discs/train.csv"
images = "{root}/discs/images/{{patient_id}}_{{image_id}}.png"
cache = "{root}/cache"
[split]
by = "patient"
validation = 0.25
test = 0.25
seed = 0
[fit]
height = 64
width = 48
margin = 0.02
white_percentile = 99.5
[network]
{network}
[augmentation]
flip = true
shift = 0.03
zoom = 0.05
crop = 0.02
rotate = 10
gain = 0.1
gamma = 0.1
contrast = 0.1
cutout = 0.2
[training]
seed = 3
epochs = {epochs}
patience = {epochs}
batch_size = 4
learning_rate = 3e-3
warmup_epochs = 1.5
weight_decay = 1e-3
clip = 1.0
ema = 0.9
label_smoothing = 0.1
ratio = 2
precision = "bfloat16"
monitor = "breast_auc"
[bundle]
training_data = "Half discs."
intended_use = "Measuring."
limitations = "It knows nothing."
"""

_FORKS = multiprocessing.get_context("forkserver")

NETWORKS = {
    "cnn": """\
filters = [4, 6, 8]
kernel_size = 3
pool_size = 2
dropout = 0.1
pooling = "max"
dense = [8]""",
    "lite0": """\
kind = "efficientnet-lite0"
dropout = 0.2
frozen_until = "stem_relu"
frozen_epochs = 2
backbone_rate = 0.3""",
}
MOMENTS = ("any", "checkpoint", "history", "validation", "start", "checkpoint", "any", "end")


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds from the start of a process to its first complete epoch, and of each further one."""

    first: float
    epoch: float


@dataclass(frozen=True, slots=True)
class Training:
    """A training of one experiment."""

    experiment: Path
    run: Run
    workers: int

    def begin(self) -> ForkServerProcess:
        """Begin to train, or go on, in a process of its own."""
        arguments = ("train", str(self.experiment), "--run", str(self.run.directory))
        workers = ("--workers", str(self.workers))
        process = _FORKS.Process(target=_train, args=([*arguments, *workers], self.log))
        process.start()
        return process

    @property
    def log(self) -> Path:
        """File with the messages of all processes."""
        return self.run.directory.with_suffix(".log")

    def finish(self) -> None:
        """Train to the end.

        Raises:
            RuntimeError: the training failed.
        """
        process = self.begin()
        process.join()
        self.require_success(process)

    def require_success(self, process: ForkServerProcess) -> None:
        """Raise RuntimeError unless a process ended well."""
        if process.exitcode != 0:
            raise RuntimeError(f"The training failed: see {self.log}.")

    def state(self) -> str:
        """Return what a kill left: complete epochs, checkpoints, and the network."""
        run = self.run
        done = len(read_json(run.history)) if run.history.exists() else 0
        checkpoints = sorted(path.name[11:14] for path in run.directory.glob("checkpoint-*"))
        partial = sorted(path.name for path in run.directory.glob("*.partial"))
        return ", ".join(
            [
                f"{done} epochs",
                f"checkpoints {' '.join(checkpoints) or '-'}",
                *(["best.keras"] if run.best_model.exists() else []),
                *partial,
            ]
        )


def _train(arguments: Sequence[str], log: Path) -> None:
    """Run a command of training in this process, with its messages in a file."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    sys.exit(commands.main(arguments))


def main() -> None:
    """Print the kills and the comparison of every network and backend."""
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = options.keep or Path(temporary)
        _prepare(root)
        _FORKS.set_forkserver_preload(["training.fit.start", "training.fit.train"])
        outcomes = [_try(root, name, options) for name in options.networks]
    sys.exit(0 if all(outcomes) else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--kills", type=int, default=8, help="kills of each training")
    parser.add_argument("--workers", type=int, default=2, help="threads that make batches")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments")
    parser.add_argument("--keep", type=Path, help="folder in which data and runs are kept")
    return parser


def _prepare(root: Path) -> None:
    """Write images and experiments, and prepare the images."""
    root.mkdir(parents=True, exist_ok=True)
    if not (root / "discs").exists():
        write_discs(root / "discs", patients=PATIENTS, seed=1)
    for name, network in NETWORKS.items():
        text = EXPERIMENT.format(root=root, network=network, epochs=EPOCHS)
        (root / f"{name}.toml").write_text(text)

    subprocess.run(  # noqa: S603 - fixed arguments
        [sys.executable, "-m", "training", "prepare", str(root / "cnn.toml")],
        check=True,
        capture_output=True,
    )


def _try(root: Path, name: str, options: argparse.Namespace) -> bool:
    """Train with and without kills, print both, and return whether they are equal."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    whole, killed = (
        Training(root / f"{name}.toml", Run(root / f"{name}-{backend}-{what}"), workers)
        for what, workers in (("whole", 1), ("killed", options.workers))
    )
    for training in (whole, killed):
        if training.run.directory.exists():
            sys.exit(f"{training.run.directory} holds an earlier training: name another --keep.")

    pace = _measure(whole)
    print(f"\n{name} on {backend}: first epoch after {pace.first:.1f} s, then {pace.epoch:.2f} s")
    print("| kill | moment | left |\n|---|---|---|", flush=True)

    rng = np.random.default_rng(options.seed)
    for number in range(options.kills):
        moment = MOMENTS[number % len(MOMENTS)]
        _kill(killed, moment, pace, rng)
        print(f"| {number + 1} | {moment} | {killed.state()} |", flush=True)

    killed.finish()
    return compare_runs(whole.run, killed.run)


def _measure(training: Training) -> Pace:
    """Train without an interruption, and return how fast it was."""
    start = time.monotonic()
    complete: list[float] = []
    seen = 0
    process = training.begin()
    while process.is_alive():
        if (now := _modified(training.run.history)) != seen:
            seen = now
            complete.append(time.monotonic())
        time.sleep(POLL)

    training.require_success(process)
    return Pace(complete[0] - start, (complete[-1] - complete[0]) / (len(complete) - 1))


def _kill(training: Training, moment: str, pace: Pace, rng: np.random.Generator) -> None:
    """Begin a process, and kill it at the moment, unless it ends before."""
    run = training.run
    watched: dict[str, tuple[Callable[[], int], float, float]] = {
        "start": (lambda: 0, pace.first / 2, pace.first),
        "any": (lambda: _modified(run.history), 0, 3 * pace.epoch),
        "checkpoint": (lambda: _newest(run.directory), 0, 0.03),
        "history": (lambda: _modified(run.history), 0, 0.05),
        "validation": (lambda: _modified(run.history), 0.7 * pace.epoch, pace.epoch),
        "end": (lambda: _modified(run.best_model), 0, 0.02),
    }
    look, shortest, longest = watched[moment]
    before = look()

    process = training.begin()
    while moment != "start" and look() == before and process.is_alive():
        time.sleep(POLL)

    time.sleep(rng.uniform(shortest, longest))
    process.kill()
    process.join()


def _newest(directory: Path) -> int:
    """Return when a checkpoint was last written to."""
    return max((_modified(path) for path in directory.glob("checkpoint-*")), default=0)


def _modified(path: Path) -> int:
    """Return when a file was last written to, 0 if it is not there."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


if __name__ == "__main__":
    main()
