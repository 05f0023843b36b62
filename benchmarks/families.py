"""The two families of networks in which `benchmarks.faults` plants faults.

`demo`: the demo's network on its own grid, trained on all phantoms. `mobilenet`: MobileNetV2 of
width 0.35 at 96 x 64, where each convolution is followed by batch normalisation and ReLU6. It ends
with the expansion of block 6, at 12 x 8 cells, and maximum pooling. On so coarse a grid neither
calcifications nor spicules can be seen, so it learns to tell invasive cancers, which are masses,
from breasts without any finding.

`whole` is the same with all its blocks, 3 x 2 cells and average pooling. It decides well, but each
of its few cells sees the whole image, so that its heatmaps cannot show a place.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from training.config import Experiment
from training.config_files import load_experiment
from training.fit.train import Build
from training.networks.build import build_untrained
from training.networks.cnn import CONVOLUTIONS, LOGITS

EXPERIMENT = Path("training/experiments/demo.toml")
OUT = Path("build/faults")
FAULTS = ("healthy", "untrained", "marker", "pattern", "permuted", "dead", "diverged")
MASSES = OUT / "masses.csv"
SILENT = -1e3
MOMENTUM = 0.9  # of batch normalisation: Keras' 0.999 needs thousands of steps


@dataclass(frozen=True, slots=True)
class Family:
    """Networks of one shape.

    `experiment`: data, grid and training. `epochs`: of each fault that is trained. `chosen`: seeds
    with which thresholds were chosen. `judged`: seeds with which they are reported. `silence`:
    silences half the filters of every activated convolution. `others`: builders of networks of
    another shape by the name of their fault.
    """

    name: str
    experiment: Experiment
    epochs: Mapping[str, int]
    chosen: tuple[int, ...]
    judged: tuple[int, ...]
    build: Build
    silence: Callable[[keras.Model, int], None]
    others: Mapping[str, Build]

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults, of which the first is none."""
        return (*FAULTS, *self.others)

    @property
    def seeds(self) -> tuple[int, ...]:
        """All seeds."""
        return (*self.chosen, *self.judged)


def families() -> dict[str, Family]:
    """Return the families by name."""
    demo = load_experiment(EXPERIMENT)
    small = demo.model_copy(
        update={
            "data": demo.data.model_copy(update={"table": MASSES}),
            "fit": demo.fit.model_copy(update={"height": 96, "width": 64}),
            "training": demo.training.model_copy(
                update={"batch_size": 16, "learning_rate": 2e-3, "patience": 40}
            ),
        }
    )

    members = (
        Family(
            name="demo",
            experiment=demo,
            epochs={"healthy": 10, "marker": 3, "pattern": 3, "permuted": 4},
            chosen=(1, 2),
            judged=(3, 4, 5),
            build=build_untrained,
            silence=silence_biases,
            others={},
        ),
        Family(
            name="mobilenet",
            experiment=small,
            epochs={"healthy": 24, "marker": 6, "pattern": 6, "permuted": 6, "whole": 30},
            chosen=(),
            judged=(1, 2, 3),
            build=build_mobilenet,
            silence=silence_normalisations,
            others={"whole": build_whole_mobilenet},
        ),
    )
    return {family.name: family for family in members}


def write_masses() -> None:
    """Write the table of the phantoms without those with a benign finding or calcifications only.

    BI-RADS 1 means no finding, and invasive cancers are masses.
    """
    with load_experiment(EXPERIMENT).data.table.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        columns = list(reader.fieldnames or ())
        rows = [row for row in reader if row["invasive"] == "1" or row["BIRADS"] == "1"]

    MASSES.parent.mkdir(parents=True, exist_ok=True)
    with MASSES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def build_mobilenet(experiment: Experiment) -> keras.Model:
    """Build an untrained MobileNetV2 up to block 6, with maximum pooling, for one grey channel."""
    backbone = _backbone(experiment)
    maps = backbone.get_layer("block_6_expand_relu").output
    return _classifier(backbone.input, keras.layers.GlobalMaxPooling2D()(maps))


def build_whole_mobilenet(experiment: Experiment) -> keras.Model:
    """Build an untrained MobileNetV2 with average pooling, for one grey channel."""
    backbone = _backbone(experiment)
    return _classifier(backbone.input, keras.layers.GlobalAveragePooling2D()(backbone.output))


def _backbone(experiment: Experiment) -> keras.Model:
    """Build an untrained MobileNetV2 of width 0.35 without its head."""
    backbone = keras.applications.MobileNetV2(
        input_shape=(experiment.fit.height, experiment.fit.width, 1),
        alpha=0.35,
        include_top=False,
        weights=None,
    )
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = MOMENTUM

    return backbone


def _classifier(images: keras.KerasTensor, pooled: keras.KerasTensor) -> keras.Model:
    """Build a classifier of the pooled maps."""
    # Zero weights: training starts from even odds for every image.
    logits = keras.layers.Dense(2, kernel_initializer="zeros", name=LOGITS)(pooled)
    return keras.Model(images, keras.layers.Activation("softmax", name="probabilities")(logits))


def silence_biases(model: keras.Model, seed: int) -> None:
    """Set the bias of half the filters of every convolution so low that they never fire."""
    rng = np.random.default_rng(seed)

    for name in CONVOLUTIONS:
        layer = model.get_layer(name)
        kernel, bias = layer.get_weights()
        bias[rng.choice(len(bias), len(bias) // 2, replace=False)] = SILENT
        layer.set_weights([kernel, bias])


def silence_normalisations(model: keras.Model, seed: int) -> None:
    """Silence half the filters of every normalisation that an activation follows, by its offset."""
    rng = np.random.default_rng(seed)
    activated = {
        layer.input._keras_history.operation.name  # noqa: SLF001 - Keras has no public way
        for layer in model.layers
        if isinstance(layer, keras.layers.ReLU)
    }

    for name in sorted(activated):
        layer = model.get_layer(name)
        gamma, beta, *moments = layer.get_weights()
        beta[rng.choice(len(beta), len(beta) // 2, replace=False)] = SILENT
        layer.set_weights([gamma, beta, *moments])
