from pathlib import Path

import keras
import numpy as np
import pytest

from tests.support.paths import ROOT
from training.config import Experiment
from training.config_files import load_experiment
from training.fit.learner import Learner
from training.network_config import Backbone
from training.networks.cnn import LOGITS
from training.networks.freezing import backbone_layers
from training.networks.keras_file import load_network

HEIGHT = 16
WIDTH = 12
STEPS = 2
FROZEN = "first_bn"
RNG = np.random.default_rng(0)
IMAGES = RNG.random((4, HEIGHT, WIDTH, 1), np.float32)
LABELS = np.array([0, 1, 0, 1], np.int32)
ONES = np.ones(4, np.float32)


def configured(backbone: dict[str, object], **training: object) -> Experiment:
    """The demo experiment with a backbone."""
    demo = load_experiment(ROOT / "training" / "experiments" / "demo.toml")
    return demo.model_copy(
        update={
            "network": Backbone.model_validate({"kind": "efficientnet-lite0", **backbone}),
            "training": demo.training.model_copy(update={"epochs": 4, **training}),
        }
    )


def small_backbone() -> keras.Model:
    """Two convolutions with normalisation, and a head as that of every backbone."""
    images = keras.Input((HEIGHT, WIDTH, 1))
    signal = images
    for name in ("first", "second"):
        signal = keras.layers.Conv2D(4, 3, use_bias=False, name=f"{name}_conv")(signal)
        signal = keras.layers.BatchNormalization(name=f"{name}_bn")(signal)
        signal = keras.layers.ReLU(name=f"{name}_relu")(signal)

    pooled = keras.layers.GlobalAveragePooling2D(name="pooling")(signal)
    kept = keras.layers.Dropout(0.3, name="head_dropout")(pooled)
    logits = keras.layers.Dense(2, kernel_initializer="zeros", name=LOGITS)(kept)
    return keras.Model(images, keras.layers.Activation("softmax", name="probabilities")(logits))


def begin(experiment: Experiment) -> Learner:
    keras.utils.set_random_seed(1)
    learner = Learner(small_backbone(), experiment, STEPS)
    learner.enter(0)
    return learner


def values(layers: list[keras.Layer]) -> list[np.ndarray]:
    """Weights of layers, the running means of normalisation among them."""
    return [np.array(weight) for layer in layers for weight in layer.weights if weight.shape]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all((a == b).all() for a, b in zip(one, other, strict=True))


def test_backbone_rests_in_the_frozen_epochs() -> None:
    learner = begin(configured({"frozen_epochs": 1}))
    layers = backbone_layers(learner.model)
    before = values(layers)

    learner.step(IMAGES, LABELS, ONES)
    rested = same(before, values(layers))
    head = learner.model.get_layer("logits").kernel
    learned = bool(np.any(np.array(head)))
    learner.enter(1)
    learner.step(IMAGES, LABELS, ONES)

    assert rested
    assert learned
    assert not same(before, values(layers))


def test_frozen_layers_never_change() -> None:
    learner = begin(configured({"frozen_epochs": 1, "frozen_until": FROZEN}))
    names = [layer.name for layer in learner.model.layers]
    end = names.index(FROZEN) + 1
    frozen = values(learner.model.layers[:end])
    others = values(learner.model.layers[end:])

    for epoch in range(2):
        learner.enter(epoch)
        learner.step(IMAGES, LABELS, ONES)

    assert same(frozen, values(learner.model.layers[:end]))
    assert not same(others, values(learner.model.layers[end:]))


def test_learning_rate_goes_on_in_the_second_phase() -> None:
    learner = begin(configured({"frozen_epochs": 1}))
    for _ in range(STEPS):
        learner.step(IMAGES, LABELS, ONES)
    before = learner.learning_rate

    learner.enter(1)

    assert learner.learning_rate == pytest.approx(before)


@pytest.mark.parametrize("frozen_epochs", [0, 1, 2])
def test_restored_learner_goes_on_alike(frozen_epochs: int, tmp_path: Path) -> None:
    experiment = configured({"frozen_epochs": frozen_epochs}, ema=0.8, warmup_epochs=1.0)
    learner = begin(experiment)
    learner.seed(0)
    learner.step(IMAGES, LABELS, ONES)
    learner.save(tmp_path / "one.weights.h5")
    learner.enter(1)
    learner.seed(1)
    expected = learner.step(IMAGES, LABELS, ONES)

    other = begin(experiment)
    other.restore(0, tmp_path / "one.weights.h5")
    other.enter(1)
    other.seed(1)

    assert other.step(IMAGES, LABELS, ONES) == expected
    with learner.averaged() as one, other.averaged() as two:
        assert same(values(one.layers), values(two.layers))


def test_running_mean_is_lent_and_taken_back() -> None:
    learner = begin(configured({}, ema=0.5))
    kernel = learner.model.get_layer("logits").kernel
    learner.step(IMAGES, LABELS, ONES)
    first = np.array(kernel)
    learner.step(IMAGES, LABELS, ONES)
    second = np.array(kernel)

    with learner.averaged():
        lent = np.array(kernel)

    assert lent == pytest.approx((first + second) / 2)
    assert (np.array(kernel) == second).all()


def test_bfloat16_network_is_kept_in_float32(tmp_path: Path) -> None:
    learner = begin(configured({}, precision="bfloat16"))
    learner.step(IMAGES, LABELS, ONES)
    with learner.averaged() as network:
        rounded = network.predict_on_batch(IMAGES)
        assert learner.model.get_layer("second_conv").compute_dtype == "bfloat16"

    learner.write(tmp_path / "best.keras")

    kept = load_network(tmp_path / "best.keras")
    assert all(layer.compute_dtype == "float32" for layer in kept.layers)
    assert rounded.dtype == np.float32
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(rounded))
    assert kept.predict_on_batch(IMAGES) == pytest.approx(probabilities, abs=0.02)


def test_classes_weigh_as_they_are_told() -> None:
    learner = begin(configured({}))

    # An untrained network gives even odds, so each image has a loss of log 2.
    weights = np.array([0.5, 1.5, 0.5, 0.5], np.float32)
    assert learner.step(IMAGES, LABELS, weights) == pytest.approx(0.75 * np.log(2), rel=1e-5)


def test_smoothed_labels_bound_the_loss() -> None:
    learner = begin(configured({}, label_smoothing=0.2))
    learner.model.get_layer("logits").bias.assign([-10.0, 10.0])

    # The margin is 20, and a tenth of each label is on the other class.
    loss = learner.step(IMAGES, np.ones(4, np.int32), ONES)

    assert loss == pytest.approx(0.1 * 20, rel=1e-3)
