"""Measures the probe of the places of cells, on the demo's network and on backbones of Keras.

    python -m benchmarks.probe                      # random weights, 160 x 128 pixels
    python -m benchmarks.probe --keras mine.keras   # a network of your own, too

The largest displacement is that of the five cells of every layer, in strides of the layer. A
network is refused above 0.5. Random weights have noisier gradients than trained ones.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import keras

from benchmarks.untrained import untrained_facts
from service.records import FitParameters
from training.config_files import load_experiment
from training.introspection.description import describe_model
from training.introspection.live_model import explained
from training.introspection.probe import probe
from training.networks.build import build_untrained

_EXPERIMENT = Path("training/experiments/demo.toml")
_SIZE = (160, 128)
_BACKBONES = (
    "MobileNetV2",
    "MobileNetV3Small",
    "EfficientNetV2B0",
    "ResNet50",
    "DenseNet121",
    "ConvNeXtTiny",
    "Xception",
    "NASNetMobile",
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keras", type=Path, nargs="*", default=[], help="files of networks")
    parser.add_argument("--only", help="the one network of this name")
    options = parser.parse_args()

    print("| network | layers | largest displacement, strides | at | CPU seconds |")
    print("|---|---|---|---|---|")
    for name, build in _networks(options.keras):
        if options.only in (None, name):
            print(_row(name, build()), flush=True)


def _networks(files: list[Path]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield every network to measure, by name."""
    yield "demo, random weights", _demo
    yield "Sequential, random weights", _sequential
    for name in _BACKBONES:
        yield name, partial(_backbone, name)
    for file in files:
        yield file.stem, partial(keras.saving.load_model, file, compile=False)


def _row(name: str, model: Any) -> str:
    """Probe a network. Return its row of the table."""
    _, height, width, _ = model.input_shape
    manifest = describe_model(
        model, untrained_facts("probed", FitParameters(height=height, width=width))
    )

    start = time.process_time()
    displacements = probe(explained(model, manifest), manifest.layers)
    seconds = time.process_time() - start

    measured = {layer: entry.strides for layer, entry in displacements.items() if entry}
    worst = max(measured, key=lambda layer: measured[layer])
    layers = f"{len(measured)} of {len(displacements)}"
    return f"| {name} | {layers} | {measured[worst]:.3f} | {worst} | {seconds:.1f} |"


def _demo() -> Any:
    experiment = load_experiment(_EXPERIMENT)
    keras.utils.set_random_seed(1)
    return build_untrained(experiment)


def _sequential() -> Any:
    keras.utils.set_random_seed(1)
    layers = [keras.Input((*_SIZE, 1))]
    for filters in (8, 16, 32):
        layers += [
            keras.layers.Conv2D(filters, 3, padding="same"),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.MaxPooling2D(),
        ]

    pooled = keras.layers.GlobalAveragePooling2D()
    return keras.Sequential([*layers, pooled, keras.layers.Dense(2, activation="softmax")])


def _backbone(name: str) -> Any:
    keras.utils.set_random_seed(1)
    inputs = keras.Input((*_SIZE, 3))
    network = getattr(keras.applications, name)(
        weights=None, include_top=False, input_tensor=inputs * 255
    )
    pooled = keras.layers.GlobalAveragePooling2D()(network.output)
    return keras.Model(network.input, keras.layers.Dense(2, activation="softmax")(pooled))


if __name__ == "__main__":
    main()
