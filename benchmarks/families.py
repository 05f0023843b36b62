"""The two families of networks in which `benchmarks.faults` plants faults.

`demo`: the demo's network on its own grid. `mobilenet`: MobileNetV2 of width 0.35 at 96 x 64, where
each convolution is followed by batch normalisation and ReLU6. Both are trained on the phantoms.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from training.config import Experiment
from training.config_files import load_experiment
from training.fit.network import CONVOLUTIONS, LOGITS
from training.fit.train import Build, build_configured

EXPERIMENT = Path("training/experiments/demo.toml")
SILENT = -1e3


@dataclass(frozen=True, slots=True)
class Family:
    """Networks of one shape.

    `experiment`: data, grid and training. `epochs`: of each fault that is trained. `chosen`: seeds
    with which thresholds were chosen. `judged`: seeds with which they are reported. `silence`:
    silences half the filters of every activated convolution.
    """

    name: str
    experiment: Experiment
    epochs: Mapping[str, int]
    chosen: tuple[int, ...]
    judged: tuple[int, ...]
    build: Build
    silence: Callable[[keras.Model, int], None]

    @property
    def seeds(self) -> tuple[int, ...]:
        """All seeds."""
        return (*self.chosen, *self.judged)


def families() -> dict[str, Family]:
    """Return the families by name."""
    demo = load_experiment(EXPERIMENT)
    small = demo.model_copy(
        update={
            "fit": demo.fit.model_copy(update={"height": 96, "width": 64}),
            "training": demo.training.model_copy(
                update={"batch_size": 16, "learning_rate": 2e-3, "patience": 30}
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
            build=build_configured,
            silence=silence_biases,
        ),
        Family(
            name="mobilenet",
            experiment=small,
            epochs={"healthy": 30, "marker": 10, "pattern": 10, "permuted": 10},
            chosen=(),
            judged=(1, 2, 3),
            build=build_mobilenet,
            silence=silence_normalisations,
        ),
    )
    return {family.name: family for family in members}


def build_mobilenet(experiment: Experiment) -> keras.Model:
    """Build an untrained MobileNetV2 of width 0.35 for one grey channel."""
    backbone = keras.applications.MobileNetV2(
        input_shape=(experiment.fit.height, experiment.fit.width, 1),
        alpha=0.35,
        include_top=False,
        weights=None,
    )

    pooled = keras.layers.GlobalAveragePooling2D()(backbone.output)
    # Zero weights: training starts from even odds for every image.
    logits = keras.layers.Dense(2, kernel_initializer="zeros", name=LOGITS)(pooled)
    return keras.Model(
        backbone.input, keras.layers.Activation("softmax", name="probabilities")(logits)
    )


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
