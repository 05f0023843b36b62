"""Milliseconds an image by size of batch: the demo and a network on MobileNetV2, by what TensorFlow is told.

    python -m benchmarks.batches [--rounds 15]

Threads, oneDNN, weights as variables or constants, calls at a time. Each row comes from a process of its own, as
TensorFlow reads its settings but once.
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
    """Prints a table for each network and signature."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=15, help="of which the median counts (default 15)"
    )
    parser.add_argument(
        "--one", nargs=4, metavar=("BUNDLE", "THREADS", "WEIGHTS", "CALLS"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()
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
            for name, found in rows.items():
                print(
                    f"| {name} | {' | '.join(f'{milliseconds:.1f}' for milliseconds in found[signature])} |"
                )


def _rows(path: Path, rounds: int) -> Iterator[tuple[str, dict[str, list[float]]]]:
    cores = usable_cores()
    threads_tried = sorted({cores, 1}, reverse=True)
    for weights, onednn, threads, calls in product(
        ("variable", "constant"), ("on", "off"), threads_tried, (1, 2)
    ):
        if calls > 1 and (
            onednn == "off" or threads == 1
        ):  # one thread for all calls is no more than one call
            continue
        name = f"{threads}, {onednn}, {weights}, {calls}"
        print(f"{path.parent.name}: {name}", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "benchmarks.batches", "--rounds", str(rounds)]
        environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": str(int(onednn == "on"))}
        found = subprocess.run(  # noqa: S603 - our own
            [*command, "--one", str(path), str(threads), weights, str(calls)],
            cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        yield name, json.loads(found.stdout)


def _row(path: Path, threads: int, weights: str, calls: int, rounds: int) -> dict[str, list[float]]:
    """Milliseconds an image of a prediction and of Grad-CAM, for each of the sizes; so many such calls at a time."""
    manifest = Bundle.load(path, threads).manifest
    import tensorflow as tf  # noqa: PLC0415 - loading the bundle has set it up

    images = np.random.default_rng(1).random((max(SIZES), *manifest.input_shape), np.float32)
    classes = np.ones(len(images), np.int32)
    asked: dict[str, tuple[str, Mapping[str, Any]]] = {
        "predict": ("serving_default", {"images": images}),
        "Grad-CAM": (
            gradcam_signature(manifest.default_layer),
            {"images": images, "class_index": classes},
        ),
    }
    model = tf.saved_model.load(str(path))

    def milliseconds(signature: str, inputs: Mapping[str, Any]) -> list[float]:
        loaded = model.signatures[signature]
        ask = with_constants(loaded) if weights == "constant" else loaded

        def run(size: int) -> list[Any]:
            tensors = {name: tf.constant(array[:size]) for name, array in inputs.items()}
            return [tensor.numpy() for tensor in ask(**tensors).values()]

        with ThreadPoolExecutor(calls) as pool:
            ways = {str(size): partial(_at_once, pool, run, [size] * calls) for size in SIZES}
            measure(ways, 3)
            return [taken / int(size) / calls for size, taken in measure(ways, rounds).items()]

    return {name: milliseconds(*each) for name, each in asked.items()}


def _at_once(pool: ThreadPoolExecutor, run: Callable[[int], Any], sizes: Sequence[int]) -> None:
    list(pool.map(run, sizes))


if __name__ == "__main__":
    main()
