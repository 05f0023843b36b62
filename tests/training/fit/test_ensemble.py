import keras
import numpy as np
import pytest

from tests.support.paths import ROOT
from training.config import Experiment
from training.config_files import load_experiment
from training.fit.ensemble import Member, merge
from training.network_config import Network
from training.networks.build import build_untrained
from training.networks.cnn import logits_model

HEIGHT = 160
WIDTH = 96


@pytest.fixture(
    scope="module",
    params=[("max", (6, 4)), ("average", ()), ("flatten", (6,)), ("flatten", ())],
    ids=["max", "average-logits", "flatten", "flatten-logits"],
)
def experiment(request: pytest.FixtureRequest) -> Experiment:
    demo = load_experiment(ROOT / "training" / "experiments" / "demo.toml")
    network = {"filters": (3, 4, 5), "pooling": request.param[0], "dense": request.param[1]}
    return demo.model_copy(
        update={
            "network": demo.network.model_copy(update=network),
            "fit": demo.fit.model_copy(update={"height": HEIGHT, "width": WIDTH}),
        }
    )


def size_of(experiment: Experiment) -> Network:
    assert isinstance(experiment.network, Network)
    return experiment.network


def random_network(experiment: Experiment, seed: int) -> keras.Model:
    """A network with random weights everywhere, also in its normalisation and its logits."""
    network = build_untrained(experiment)
    rng = np.random.default_rng(seed)
    for weight in network.weights:
        if "seed" not in weight.path:
            weight.assign(rng.uniform(0.1, 1.0, weight.shape) * rng.choice([0.2, 0.3]))
    return network


def margins(network: keras.Model, images: np.ndarray) -> np.ndarray:
    logits = logits_model(network).predict(images, verbose=0).astype(np.float64)
    return np.asarray(logits[:, 1] - logits[:, 0])


def test_margin_is_mean_of_calibrated_margins(experiment: Experiment) -> None:
    members = [
        Member(random_network(experiment, seed), temperature, offset)
        for seed, temperature, offset in ((1, 1.0, 0.0), (2, 2.5, -0.7), (3, 0.5, 1.2))
    ]
    images = np.random.default_rng(0).random((4, HEIGHT, WIDTH, 1), np.float32)

    merged = margins(merge(members, experiment.fit, size_of(experiment)), images)

    expected = np.mean(
        [margins(m.network, images) / m.temperature + m.offset for m in members], axis=0
    )
    np.testing.assert_allclose(merged, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert np.ptp(expected) > 1e-3 * np.abs(expected).max()


def test_ensemble_keeps_the_names_of_layers(experiment: Experiment) -> None:
    members = [Member(random_network(experiment, seed), 1.0, 0.0) for seed in (1, 2)]

    merged = merge(members, experiment.fit, size_of(experiment))

    assert merged.get_layer("conv2d_2").filters == 10
    assert [layer.name for layer in merged.layers if layer.name.startswith("conv2d")] == [
        "conv2d",
        "conv2d_1",
        "conv2d_2",
    ]
