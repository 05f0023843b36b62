"""TensorFlow and onnxruntime side by side: equality, speed, start, memory and batch limits.

    python -m benchmarks.engines BUNDLE [BUNDLE ...] [--rounds 15]

A bundle is a version directory with graphs: see `python -m training onnx`. Each engine runs in a
process of its own. Both are there at once, and are timed in turn, so that a busy machine slows both
down.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from benchmarks.load.servers import ROOT
from service import pipeline
from service.host.cores import usable_cores
from service.model import Bundle, GoldenCase, Model, OnnxBundle, SignatureModel
from service.pipeline.class_explanation import Subject, explain_class
from service.records import Method
from service.runtime.batch_limit import BatchLimit, batch_costs

ENGINES: Mapping[str, type[SignatureModel]] = {"TensorFlow": Bundle, "onnxruntime": OnnxBundle}
SIZES = (1, 2, 4, 8)
_LONG = {Method.INTEGRATED_GRADIENTS, Method.OCCLUSION}  # left out unless asked for


def main() -> None:
    """Print a table for each bundle."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path, nargs="+")
    parser.add_argument(
        "--rounds", type=int, default=15, help="rounds, of which the shortest time counts"
    )
    parser.add_argument(
        "--long", action="store_true", help="also compare the methods of hundreds of passes"
    )
    parser.add_argument("--serve", metavar="ENGINE", help=argparse.SUPPRESS)
    options = parser.parse_args()

    if options.serve:
        _serve(options.serve, options.bundle[0], long=options.long)
        return

    print(f"{usable_cores()} cores")
    for path in options.bundle:
        _compare(path, options.rounds, long=options.long)


def _compare(path: Path, rounds: int, *, long: bool) -> None:
    """Print the tables of one bundle."""
    with ExitStack() as stack:
        ask = {name: stack.enter_context(_engine(name, path, long=long)) for name in ENGINES}
        facts = {name: call({"do": "facts"}) for name, call in ask.items()}

        times: dict[str, dict[str, float]] = {name: {} for name in ENGINES}
        for _ in range(rounds):
            for work in ("predict", "Grad-CAM", "input gradients"):
                for size in SIZES:
                    for name, call in ask.items():
                        seconds = call({"do": work, "size": size})
                        key = f"{work}, {size}"
                        times[name][key] = min(times[name].get(key, np.inf), seconds / size)

        limits = {name: call({"do": "limit"}) for name, call in ask.items()}
        memory = {name: call({"do": "memory"}) for name, call in ask.items()}
        files = [call({"do": "arrays"}) for call in ask.values()]

    print(f"\n{path.parent.name}\n")
    _print_row("", ENGINES, "ratio")
    print("|---|---|---|---|")
    for key in next(iter(times.values())):
        pair = [1e3 * times[name][key] for name in ENGINES]
        ratio = f"{pair[0] / pair[1]:.2f}"
        _print_row(f"{key}: ms per image", [f"{one:.1f}" for one in pair], ratio)
    for key in ("load", "golden case and first runs"):
        _print_row(f"{key}: s", [f"{one[key]:.1f}" for one in facts.values()])
    _print_row("memory when ready: MiB", [f"{one['memory']:.0f}" for one in facts.values()])
    _print_row("memory at the end: MiB", [f"{one:.0f}" for one in memory.values()])
    _print_row("images of a batch, chosen", [str(one) for one in limits.values()])

    first, second = (np.load(file) for file in files)
    print("\n| largest difference | of the largest value | of the norm |\n|---|---|---|")
    for key in first:
        peak = peak_difference(second[key], first[key])
        print(f"| {key} | {peak:.1e} | {_norm(second[key], first[key]):.1e} |")


def _print_row(name: str, cells: Iterable[str], last: str = "") -> None:
    print(f"| {name} | {' | '.join(cells)} | {last} |")


def peak_difference(array: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference as a share of the largest value that is expected."""
    largest = float(np.abs(expected).max())
    return float(np.abs(array - expected).max()) / (largest or 1.0)


def _norm(array: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(array - expected)) / (float(np.linalg.norm(expected)) or 1.0)


@contextmanager
def _engine(name: str, path: Path, *, long: bool) -> Iterator[Callable[[Mapping[str, Any]], Any]]:
    """Start a process with the engine, and yield a function that asks it for one thing."""
    command = [sys.executable, "-m", "benchmarks.engines", str(path.resolve()), "--serve", name]
    with subprocess.Popen(  # noqa: S603 - this module
        [*command, *(["--long"] if long else [])],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None  # noqa: S101 - pipes
        assert process.stdout is not None  # noqa: S101 - pipes
        yield partial(_ask, process.stdin, process.stdout)
        process.stdin.close()


def _ask(stdin: IO[str], stdout: IO[str], question: Mapping[str, Any]) -> Any:
    print(json.dumps(question), file=stdin, flush=True)
    return json.loads(stdout.readline())


def _serve(engine: str, path: Path, *, long: bool) -> None:
    """Load the bundle, then answer the questions on standard input, a line for each."""
    start = time.perf_counter()
    model = ENGINES[engine].load(path)
    loaded = time.perf_counter()
    golden = GoldenCase.load(path)
    pipeline.replay(model, golden)
    pipeline.warm(model)
    facts = {
        "load": loaded - start,
        "golden case and first runs": time.perf_counter() - loaded,
        "memory": _memory(),
    }

    images = np.repeat(golden.image[None], max(SIZES), axis=0)
    classes = np.full(len(images), model.manifest.positive_index, np.int32)
    layer = model.manifest.default_layer
    works: dict[str, Callable[[int], object]] = {
        "predict": lambda size: model.predict(images[:size]),
        "Grad-CAM": lambda size: model.layer_gradients(layer, images[:size], classes[:size]),
        "input gradients": lambda size: model.input_gradients(images[:size], classes[:size]),
    }
    for line in sys.stdin:
        question = json.loads(line)
        match question["do"]:
            case "facts":
                answer: Any = facts
            case "limit":
                limit = BatchLimit()
                limit.choose(batch_costs(model, max(SIZES)))
                answer = limit.images
            case "memory":
                answer = _memory()
            case "arrays":
                with tempfile.NamedTemporaryFile(suffix=".npz", delete=False) as file:
                    np.savez(file, **arrays(model, golden, long=long))  # type: ignore[arg-type]
                answer = file.name
            case work:
                begin = time.perf_counter()
                works[work](question["size"])
                answer = time.perf_counter() - begin
        print(json.dumps(answer), flush=True)


def arrays(model: Model, golden: GoldenCase, *, long: bool) -> dict[str, np.ndarray]:
    """Return what the model computes for the golden image, by name."""
    images = golden.image[None]
    classes = np.full(1, model.manifest.positive_index, np.int32)
    scores = model.predict(images)
    computed: dict[str, np.ndarray] = {
        "logits": scores.logits,
        "probabilities": scores.probabilities,
        "features": scores.features,
        "input gradients": model.input_gradients(images, classes),
    }

    subject = Subject(golden.image, golden.image[..., 0] > 0)
    for layer in model.manifest.layers:
        explained = model.layer_gradients(layer.name, images, classes)
        computed[f"maps of {layer.name}"] = explained.maps
        computed[f"gradients at {layer.name}"] = explained.gradients
    for method, name in _questions(model, long=long):
        heat = explain_class(model, subject, method, name, int(classes[0]), full=False).heatmap
        computed[f"{method} {name}".strip()] = heat.values
    return computed


def _questions(model: Model, *, long: bool) -> Sequence[tuple[Method, str]]:
    """Return the methods and layers to compare; no layer for methods of the input."""
    of_input = [Method.SMOOTH_GRAD, *(sorted(_LONG) if long else [])]
    of_layers = [one for one in Method if one not in {Method.SMOOTH_GRAD, *_LONG}]
    layers = [layer.name for layer in model.manifest.layers]
    return [(one, name) for name in layers for one in of_layers] + [(one, "") for one in of_input]


def _memory() -> float:
    """Return the resident memory of this process, in MiB."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
