from dataclasses import replace

import numpy as np
import pytest

from service.model import FakeModel
from service.pipeline.class_explanation import margins_in_batches
from service.records import Floats, Scores
from tests.support.array_part import masks, pixels, with_pixels
from training.scorecard.probes import discrimination, repeatability
from training.scorecard.sample import Sample


class Brightest(FakeModel):
    """A model whose margin is the brightest pixel."""

    def predict(self, images: Floats) -> Scores:
        return with_margins(super().predict(images), images.max(axis=(1, 2, 3)))


def with_margins(scores: Scores, margins: Floats) -> Scores:
    """Return the scores with logits that give these margins of class 1."""
    return replace(scores, logits=np.stack([np.zeros_like(margins), margins], axis=1))


def aucs_of(model: FakeModel, sample: Sample) -> dict[str, float]:
    """Return the value of each AUC."""
    whole = margins_in_batches(model, sample.images, 1)
    return {name: auc.value for name, auc in discrimination(model, sample, whole, 1).items()}


MODEL = Brightest()
MARKER = np.s_[2:9, -9:-2]


def marked(sample: Sample) -> Sample:
    """Return the images without blobs, but with a bright marker in a corner of positive ones."""
    images = np.where(masks(sample)[..., None], 0.4, 0).astype(np.float32)
    images[sample.labels == 1, MARKER[0], MARKER[1]] = 1

    return with_pixels(sample, images)


def test_network_of_breast_fails_without_breast(sample: Sample) -> None:
    aucs = aucs_of(MODEL, sample)

    assert aucs["auc"] == aucs["breast_auc"] == 1
    assert aucs["surroundings"] == 0
    assert aucs["without_breast"] == 0.5
    assert aucs["corners"] < 0.75  # by chance, of 24 images


def test_network_of_marker_needs_only_the_marker(sample: Sample) -> None:
    """It keeps its AUC without the breast and loses it without the surroundings."""
    aucs = aucs_of(MODEL, marked(sample))

    assert aucs["auc"] == aucs["without_breast"] == aucs["corners"] == 1
    assert aucs["surroundings"] == pytest.approx(0.5)


def test_network_of_brightness_needs_only_the_silhouette(sample: Sample) -> None:
    class Brightness(FakeModel):
        def predict(self, images: Floats) -> Scores:
            return with_margins(super().predict(images), images.mean(axis=(1, 2, 3)))

    gains = np.where(sample.labels == 1, 1.2, 1).astype(np.float32)
    brighter = pixels(sample) * gains[:, None, None, None]

    aucs = aucs_of(Brightness(), with_pixels(sample, brighter))

    assert aucs["silhouette"] == 1


def test_diverged_network_has_auc_of_one_half(sample: Sample) -> None:
    class Diverged(FakeModel):
        def predict(self, images: Floats) -> Scores:
            return with_margins(super().predict(images), np.full(len(images), np.nan, np.float32))

    aucs = aucs_of(Diverged(), sample)

    assert aucs.pop("surroundings") == 0
    assert set(aucs.values()) == {0.5}


def test_network_with_varying_answers_is_not_repeatable(sample: Sample) -> None:
    class Varying(FakeModel):
        calls = 0

        def predict(self, images: Floats) -> Scores:
            self.calls += 1
            scores = super().predict(images)

            return replace(scores, logits=scores.logits + np.array([0, self.calls], np.float32))

    assert repeatability(MODEL, sample, 1) == {
        "repeated": 0.0,
        "batched": pytest.approx(0, abs=1e-5),
    }
    assert repeatability(Varying(), sample, 1)["repeated"] > 1
