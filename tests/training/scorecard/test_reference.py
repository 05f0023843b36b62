import numpy as np
import pytest

from service import explanation
from service.model import FakeModel
from service.records import Floats, Method, Scores
from training.scorecard.reference import find_domain, find_reference
from training.scorecard.sample import Sample

MODEL = FakeModel()


def test_the_domain_holds_its_own_images_and_not_others(sample: Sample) -> None:
    domain = find_domain(MODEL, sample.images, sample.images)
    distances = [
        explanation.distance(each, domain) for each in MODEL.predict(sample.images).features
    ]
    assert np.mean(np.square(distances)) == pytest.approx(
        1, rel=0.3
    )  # the shrunk covariance is nearly their own
    assert sum(far > domain.limit for far in distances) == 1  # of 24, beyond the 99th percentile
    noise = np.random.default_rng(1).random((1, 128, 96, 1), np.float32)
    assert explanation.distance(MODEL.predict(noise).features[0], domain) > 3 * domain.limit


def test_a_dark_feature_does_not_blow_up_the_distance(sample: Sample) -> None:
    class Dark(FakeModel):
        def predict(self, images: Floats) -> Scores:
            scores = super().predict(images)
            scores.features[:, 1] = 0
            return scores

    domain = find_domain(Dark(), sample.images, sample.images)
    assert np.isfinite(domain.whitening).all()
    assert explanation.distance(Dark().predict(sample.images[:1]).features[0], domain) < 5


def test_ranges_are_percentiles_over_images_rightly_decided_by_decision(sample: Sample) -> None:
    many = Sample(sample.part, np.arange(48), np.tile(sample.images, (2, 1, 1, 1)), np.tile(sample.masks, (2, 1, 1)),
                  np.tile(sample.labels, 2))  # fmt: skip
    reference = find_reference(MODEL, MODEL.manifest.layers, many, 1, perturbed=0)
    ranges = reference.ranges["conv2d"][Method.GRAD_CAM]
    decided = MODEL.predict(many.images).probabilities[:, 1] >= MODEL.manifest.threshold
    right = decided == (many.labels == 1)
    assert reference.images == right.sum()
    layer = MODEL.manifest.layers[0]
    entropies = []
    for index in np.flatnonzero(right & decided):
        found = MODEL.layer_gradients("conv2d", many.images[[index]], np.ones(1, np.int32))
        _, figures = explanation.explain_layer(
            Method.GRAD_CAM,
            found.maps[0],
            found.gradients[0],
            layer,
            many.masks[index],
            many.part.to_source(0),
        )
        entropies.append(figures["entropy"])
    if len(entropies) >= 20:
        low, high = np.percentile(entropies, (1, 99))
        assert (ranges.positive["entropy"].low, ranges.positive["entropy"].high) == pytest.approx(
            (low, high)
        )
    else:
        assert ranges.positive == {}


def test_of_too_few_images_no_range_is_made_up(sample: Sample) -> None:
    reference = find_reference(MODEL, MODEL.manifest.layers, sample, 1, perturbed=0)
    assert reference.ranges["conv2d"][Method.GRAD_CAM].positive == {}
