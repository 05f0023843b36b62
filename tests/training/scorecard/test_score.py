"""A whole scorecard of a small network, on images in memory."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest
from tqdm import tqdm

from service.records import Floats, Method
from tests.support.array_part import ArrayPart
from tests.support.bundles import untested_facts
from tests.training.scorecard.conftest import HEIGHT, WIDTH
from training.config import Requirements
from training.introspection.description import describe_model
from training.introspection.live_model import LiveModel
from training.scorecard import Parts, SampleSizes, Steps, score_model
from training.scorecard.report import ScorecardReport

SIZES = SampleSizes(
    domain=24,
    tested=24,
    perturbed=2,
    randomised=4,
    localised=0,
    every_layer=False,
    methods=(Method.GRAD_CAM,),
)


class CountingModel(LiveModel):
    """A model that counts its passes, a backward one as well."""

    passes = 0

    def predict(self, images: Floats) -> Any:
        CountingModel.passes += len(images)
        return LiveModel.predict(self, images)

    def activations(self, images: Floats) -> Any:
        CountingModel.passes += len(images)
        return LiveModel.activations(self, images)

    def layer_gradients(self, layer: str, images: Floats, class_indices: Any) -> Any:
        CountingModel.passes += 2 * len(images)
        return LiveModel.layer_gradients(self, layer, images, class_indices)


class Exhausted(LiveModel):
    """A model that must not be run."""

    def predict(self, images: Floats) -> Any:  # noqa: ARG002
        raise AssertionError("A kept step was run again.")


@pytest.fixture
def network() -> keras.Model:
    """A network whose margin is the brightest spot in the breast, which tells the classes apart."""
    inputs = keras.Input((HEIGHT, WIDTH, 1))
    maps = keras.layers.Conv2D(4, 3, strides=4, activation="relu", name="conv")(inputs)
    pooled = keras.layers.GlobalMaxPooling2D()(maps)
    network = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(pooled))

    weights = [np.zeros_like(array) for array in network.get_weights()]
    weights[0][..., 0] = 1 / 9
    weights[2][0, 1] = 20
    weights[3][1] = -12
    network.set_weights(weights)
    return network


def score(
    model: LiveModel, part: ArrayPart, steps: Steps, sizes: SampleSizes = SIZES
) -> ScorecardReport:
    return score_model(model, Parts(part, part), sizes, Requirements(), steps)


def test_bar_counts_the_passes_of_the_network(
    network: keras.Model, part: ArrayPart, bar: "tqdm[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.scorecard.randomisation.LiveModel", CountingModel)
    manifest = describe_model(network, untested_facts(HEIGHT, WIDTH))

    report = score(CountingModel(network, manifest), part, Steps(None, bar))

    assert report.scorecard.images == 24
    assert bar.n == bar.total
    assert CountingModel.passes == bar.n


def test_images_without_lesion_mask_are_not_localised(
    network: keras.Model, part: ArrayPart, bar: "tqdm[Any]", tmp_path: Path
) -> None:
    mask = tmp_path / "lesion.png"
    cv2.imwrite(str(mask), np.full((HEIGHT, WIDTH), 255, np.uint8))
    marked = (1, 9, 13)  # images with cancer, of which the network misses the first
    records = tuple(
        replace(record, lesion_mask=mask if index in marked else None)
        for index, record in enumerate(part.records)
    )
    manifest = describe_model(network, untested_facts(HEIGHT, WIDTH))
    sizes = replace(SIZES, localised=10)

    report = score(
        LiveModel(network, manifest), replace(part, records=records), Steps(None, bar), sizes
    )

    assert report.scorecard.methods[Method.GRAD_CAM].images == 2
    assert bar.n == bar.total


def test_interrupted_scorecard_goes_on(
    network: keras.Model, part: ArrayPart, bar: "tqdm[Any]", tmp_path: Path
) -> None:
    manifest = describe_model(network, untested_facts(HEIGHT, WIDTH))
    first = score(LiveModel(network, manifest), part, Steps(tmp_path, bar))

    again = score(Exhausted(network, manifest), part, Steps(tmp_path, bar))

    assert again.scorecard.lines == first.scorecard.lines
    assert again.reference == first.reference


def test_scale_of_last_layer_changes_no_verdict(
    network: keras.Model, part: ArrayPart, bar: "tqdm[Any]"
) -> None:
    manifest = describe_model(network, untested_facts(HEIGHT, WIDTH))
    plain = score(LiveModel(network, manifest), part, Steps(None, bar)).scorecard

    *others, kernel, bias = network.get_weights()
    network.set_weights([*others, 10 * kernel, 10 * bias])
    scaled = score(LiveModel(network, manifest), part, Steps(None, bar)).scorecard

    assert [line.verdict for line in scaled.lines] == [line.verdict for line in plain.lines]
