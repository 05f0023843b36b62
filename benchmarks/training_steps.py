"""Seconds of a training step on the backend that KERAS_BACKEND names, and memory of the process.

    KERAS_BACKEND=jax python -m benchmarks.training_steps EXPERIMENT BATCH STEPS

Prints the median seconds of a step, and the largest resident memory in MB. The weights and the
images are random, and the images are in memory: nothing is decoded or augmented.
"""

import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from training.config_files import load_experiment
from training.fit.learner import Learner
from training.networks.build import build_untrained

WARM_UP = 3
"""Steps before those that are measured: the first compiles."""


def main(path: Path, batch: int, steps: int) -> None:
    """Train for some steps, and print their median and the memory."""
    experiment = load_experiment(path)
    learner = Learner(build_untrained(experiment), experiment, steps)
    learner.enter(0)

    rng = np.random.default_rng(0)
    fit = experiment.fit
    images = rng.random((batch, fit.height, fit.width, 1), np.float32)
    labels = (np.arange(batch) % 2).astype(np.int32)
    weights = np.ones(batch, np.float32)

    seconds = []
    for _ in range(WARM_UP + steps):
        start = time.perf_counter()
        learner.step(images, labels, weights)
        seconds.append(time.perf_counter() - start)

    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(statistics.median(seconds[WARM_UP:]), memory)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
