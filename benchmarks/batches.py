"""Milliseconds per image by batch size and TensorFlow settings, for the demo and MobileNetV2.

    python -m benchmarks.batches [--rounds 15]

The settings are the number of threads, oneDNN on or off, weights as variables or constants, and the
number of concurrent calls. Each row is measured in a separate process, because TensorFlow reads its
settings only once.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.backbone import backbone
from benchmarks.load.servers import DEMO, ROOT
from benchmarks.timing import measure
from service.host.cores import usable_cores
from service.model import Bundle, gradcam_signature
from service.model.folding import with_constants

SIZES = (1, 2, 3, 4, 6, 8, 16)


def main() -> None:
    """Print a table for each network and signature."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=15, help="rounds, of which the median counts (default 15)"
    )
    parser.add_argument(
        "--one", nargs=4, metavar=("BUNDLE", "THREADS", "WEIGHTS", "CALLS"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()

    # In a child process: one row, as JSON.
    if options.one:
        path, threads, weights, calls = options.one
        print(json.dumps(_row(Path(path), int(threads), weights, int(calls), options.rounds)))
        return

    for path in (DEMO, backbone()):
        rows = dict(_rows(path, options.rounds))
        for signature in next(iter(rows.values())):
            print(f"\n{path.parent.name}, {signature}\n")
            print(f"| threads, oneDNN, weights, calls | {' | '.join(map(str, SIZES))} |")
            print(f"|---|{'---|' * len(SIZES)}")
            for name, row in rows.items():
                cells = " | ".join(f"{milliseconds:.1f}" for milliseconds in row[signature])
                print(f"| {name} | {cells} |")


def _rows(path: Path, rounds: int) -> Iterator[tuple[str, dict[str, list[float]]]]:
    """Yield the name and the measurements of each row, from one child process per row."""
    thread_counts = sorted({usable_cores(), 1}, reverse=True)
    for weights, onednn, threads, calls in product(
        ("variable", "constant"), ("on", "off"), thread_counts, (1, 2)
    ):
        # With one thread, two calls run one after the other, like one call.
        if calls > 1 and (onednn == "off" or threads == 1):
            continue

        name = f"{threads}, {onednn}, {weights}, {calls}"
        print(f"{path.parent.name}: {name}", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "benchmarks.batches", "--rounds", str(rounds)]
        environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": str(int(onednn == "on"))}
        child = subprocess.run(  # noqa: S603 - this module
            [*command, "--one", str(path), str(threads), weights, str(calls)],
            cwd=ROOT,
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        yield name, json.loads(child.stdout)


def _row(path: Path, threads: int, weights: str, calls: int, rounds: int) -> dict[str, list[float]]:
    """Return milliseconds per image of a prediction and of Grad-CAM, for each batch size.

    `calls` such calls run concurrently.
    """
    manifest = Bundle.load(path, threads).manifest
    import tensorflow as tf  # noqa: PLC0415 - after loading the bundle, which sets it up

    images = np.random.default_rng(1).random((max(SIZES), *manifest.input_shape), np.float32)
    classes = np.ones(len(images), np.int32)
    requests: dict[str, tuple[str, Mapping[str, Any]]] = {
        "predict": ("serving_default", {"images": images}),
        "Grad-CAM": (
            gradcam_signature(manifest.default_layer),
            {"images": images, "class_index": classes},
        ),
    }
    model = tf.saved_model.load(str(path))

    def milliseconds(signature: str, inputs: Mapping[str, Any]) -> list[float]:
        loaded = model.signatures[signature]
        function = with_constants(loaded) if weights == "constant" else loaded

        def run(size: int) -> list[Any]:
            tensors = {name: tf.constant(array[:size]) for name, array in inputs.items()}
            return [tensor.numpy() for tensor in function(**tensors).values()]

        with ThreadPoolExecutor(calls) as pool:
            # The first three rounds are warm-up.
            ways = {str(size): partial(_at_once, pool, run, [size] * calls) for size in SIZES}
            measure(ways, 3)
            times = measure(ways, rounds)
        return [time / int(size) / calls for size, time in times.items()]

    return {name: milliseconds(*request) for name, request in requests.items()}


def _at_once(pool: ThreadPoolExecutor, run: Callable[[int], Any], sizes: Sequence[int]) -> None:
    """Run one call for each of the sizes, concurrently."""
    list(pool.map(run, sizes))


if __name__ == "__main__":
    main()
