from dataclasses import replace

import numpy as np
import pytest

from service.model import FakeModel
from service.records import Floats, Scores
from training.scorecard.probes import discrimination, repeatability
from training.scorecard.sample import Sample


class Brightest(FakeModel):
    """A model whose margin is the brightest pixel."""

    def predict(self, images: Floats) -> Scores:
        return with_margins(super().predict(images), images.max(axis=(1, 2, 3)))


def with_margins(scores: Scores, margins: Floats) -> Scores:
    return replace(scores, logits=np.stack([np.zeros_like(margins), margins], axis=1))


MODEL = Brightest()
MARKER = np.s_[2:9, -9:-2]


def marked(sample: Sample) -> Sample:
    """The same images without their blobs, but with a bright blob in the corner of every positive one."""
    images = np.where(sample.masks[..., None], 0.4, 0).astype(np.float32)
    images[sample.labels == 1, MARKER[0], MARKER[1]] = 1
    return replace(sample, images=images)


def test_a_network_that_looks_at_the_breast_loses_everything_with_it(sample: Sample) -> None:
    found = discrimination(MODEL, sample, 1)
    assert found["auc"] == found["without_surroundings"] == 1
    assert found["without_breast"] == 0.5
    assert found["corners"] < 0.75  # by chance, of 24 images


def test_a_network_that_looks_at_a_marker_keeps_it_without_the_breast_and_loses_it_without_the_marker(
    sample: Sample,
) -> None:
    found = discrimination(MODEL, marked(sample), 1)
    assert found["auc"] == found["without_breast"] == found["corners"] == 1
    assert found["without_surroundings"] == pytest.approx(0.5)


def test_a_network_that_looks_at_brightness_keeps_it_in_the_silhouette(sample: Sample) -> None:
    class Brightness(FakeModel):
        def predict(self, images: Floats) -> Scores:
            return with_margins(super().predict(images), images.mean(axis=(1, 2, 3)))

    brighter = sample.images * np.where(sample.labels == 1, 1.2, 1)[:, None, None, None].astype(
        np.float32
    )
    found = discrimination(Brightness(), replace(sample, images=brighter), 1)
    assert found["silhouette"] == 1


def test_a_network_that_gives_no_numbers_tells_nothing_apart(sample: Sample) -> None:
    class Diverged(FakeModel):
        def predict(self, images: Floats) -> Scores:
            return with_margins(super().predict(images), np.full(len(images), np.nan, np.float32))

    assert set(discrimination(Diverged(), sample, 1).values()) == {0.5}


def test_a_network_that_answers_otherwise_the_second_time_is_found_out(sample: Sample) -> None:
    class Forgetful(FakeModel):
        calls = 0

        def predict(self, images: Floats) -> Scores:
            self.calls += 1
            scores = super().predict(images)
            return replace(scores, logits=scores.logits + np.array([0, self.calls], np.float32))

    assert repeatability(MODEL, sample, 1) == {
        "repeated": 0.0,
        "batched": pytest.approx(0, abs=1e-5),
    }
    assert repeatability(Forgetful(), sample, 1)["repeated"] > 1
