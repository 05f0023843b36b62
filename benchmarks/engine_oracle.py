"""TensorFlow and onnxruntime against the same network in float64.

    python -m benchmarks.engine_oracle BUNDLE NETWORK.keras

BUNDLE is a version directory with graphs, exported from NETWORK.keras. The golden image is
explained by each engine, and by the network with weights and arithmetic in float64. An engine's
error is the largest difference from float64, as a share of the largest value.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from benchmarks.engines import ENGINES, arrays, peak_difference
from service.model import GoldenCase, read_manifest
from training.introspection.live_model import LiveModel


def main() -> None:
    """Print the error of each engine for each array, and the median of their ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("network", type=Path)
    options = parser.parse_args()

    golden = GoldenCase.load(options.bundle)
    expected = _of_float64(options.network, options.bundle, golden)
    told = {
        name: arrays(engine.load(options.bundle), golden, long=False)
        for name, engine in ENGINES.items()
    }

    print(f"| error | {' | '.join(ENGINES)} |\n|---|---|---|")
    ratios = []
    for key, exact in expected.items():
        errors = [peak_difference(answers[key], exact) for answers in told.values()]
        print(f"| {key} | {' | '.join(f'{error:.1e}' for error in errors)} |")
        if min(errors) > 0:
            ratios.append(errors[1] / errors[0])
    first, second = ENGINES
    print(f"\nerror of {second} to that of {first}, median: {np.median(ratios):.2f}")


def _of_float64(file: Path, bundle: Path, golden: GoldenCase) -> Mapping[str, np.ndarray]:
    """Return the arrays of the network, whose layers compute in float64."""
    network = keras.models.load_model(file, compile=False)
    exact = keras.models.model_from_json(network.to_json().replace('"float32"', '"float64"'))
    exact.set_weights(network.get_weights())
    manifest, _ = read_manifest(bundle)
    return arrays(LiveModel(exact, manifest), golden, long=False)


if __name__ == "__main__":
    main()
