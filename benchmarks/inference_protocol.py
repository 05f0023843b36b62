"""Compare POST /predict with the same file as a binary tensor of the Open Inference Protocol.

    python -m benchmarks.inference_protocol [--model models/demo] [--pairs 300]

A server of its own answers both in turn, over one connection each. Told are the median milliseconds
of each route, and the ratio of the two over all pairs with its 95 % interval. Files are phantoms, a
small and a large one.
"""

import argparse
import json
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np

from benchmarks.load.ours import SERVER
from benchmarks.load.servers import DEMO, started
from benchmarks.timing import phantom_files

_SIZES = ((640, 512), (3328, 2560))
_RESAMPLES = 2_000
_WARM = 10


def main() -> int:
    """Measure. Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, default=DEMO)
    parser.add_argument("--pairs", type=int, default=300, help="requests of each route")
    arguments = parser.parse_args()

    with (
        tempfile.TemporaryFile() as log,
        started(SERVER, log, arguments.model) as server,
        httpx.Client(timeout=30) as client,
    ):
        name = client.get(f"{server.address}/model").json()["model"]["name"]
        for rows, columns in _SIZES:
            (data,) = phantom_files(["explicit"], rows, columns).values()
            ways = _ways(client, server.address, name, data)
            _tell(f"{rows} x {columns}, {len(data) / 1e6:.1f} MB", *_times(ways, arguments.pairs))
    return 0


def _ways(
    client: httpx.Client, address: str, name: str, data: bytes
) -> tuple[Callable[[], httpx.Response], Callable[[], httpx.Response]]:
    """Return a call of /predict and one of /v2, each with the whole body made beforehand."""
    tensor = struct.pack("<I", len(data)) + data
    image = {
        "name": "image",
        "shape": [1],
        "datatype": "BYTES",
        "parameters": {"binary_data_size": len(tensor)},
    }
    head = json.dumps({"inputs": [image], "parameters": {"binary_data_output": True}}).encode()
    body = head + tensor
    raw = {"Content-Type": "application/octet-stream"}
    headers = {**raw, "Inference-Header-Content-Length": str(len(head))}

    return (
        lambda: client.post(f"{address}/predict", content=data, headers=raw),
        lambda: client.post(f"{address}/v2/models/{name}/infer", content=body, headers=headers),
    )


def _times(
    ways: tuple[Callable[[], httpx.Response], Callable[[], httpx.Response]], pairs: int
) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each route, in pairs. The first of a pair changes."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(-_WARM, pairs):
        for which in (0, 1) if number % 2 else (1, 0):
            start = time.perf_counter()
            ways[which]().raise_for_status()
            if number >= 0:
                times[which].append((time.perf_counter() - start) * 1e3)
    return times


def _tell(name: str, predict: list[float], infer: list[float]) -> None:
    """Print the medians, and the ratio of medians with its bootstrap interval over pairs."""
    pairs = np.array([predict, infer])
    generator = np.random.default_rng(0)
    drawn = generator.integers(0, pairs.shape[1], (_RESAMPLES, pairs.shape[1]))
    medians = np.median(pairs[:, drawn], axis=2)
    low, high = np.quantile(medians[1] / medians[0], [0.025, 0.975])

    first, second = np.median(pairs, axis=1)
    sys.stdout.write(
        f"{name}: /predict {first:.1f} ms, /v2 {second:.1f} ms, "
        f"ratio {second / first:.3f} ({low:.3f} to {high:.3f})\n"
    )


if __name__ == "__main__":
    sys.exit(main())
