from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from service import explanation
from service.explanation import METHODS
from service.model import FakeModel, Model, Ranges
from service.records import Floats, Method, ReferenceRange, Scores
from tests.support.array_part import pixels
from training.scorecard.reference import (
    Figures,
    decide,
    find_domain,
    find_range,
    layer_reference,
    reference_peaks,
)
from training.scorecard.sample import Sample

MODEL = FakeModel()


def reference_of(model: Model, sample: Sample) -> tuple[dict[Method, Ranges], dict[Method, float]]:
    """Return the ranges and peaks of the layer, without figures that need many passes."""
    decided = decide(model, sample)
    right = decided == (sample.labels == 1)
    groups = [sample.only(right & decided), sample.only(right & ~decided)]
    return layer_reference(model, model.manifest.layers[0], groups, [{}, {}], 1)


def test_domain_holds_its_images_but_not_noise(sample: Sample) -> None:
    noise = np.random.default_rng(1).random((1, 128, 96, 1), np.float32)

    domain = find_domain(MODEL, sample.images, sample.images)

    features = MODEL.predict(pixels(sample)).features
    distances = [explanation.distance(vector, domain) for vector in features]
    # The shrunk covariance is almost that of the images.
    assert np.mean(np.square(distances)) == pytest.approx(1, rel=0.3)
    # With 24 images, 1 % of further ones is expected beyond the most distant.
    assert max(distances) < domain.limit < 1.5 * max(distances)
    assert explanation.distance(MODEL.predict(noise).features[0], domain) > 3 * domain.limit


def test_dark_feature_does_not_inflate_the_distance(sample: Sample) -> None:
    class Dark(FakeModel):
        def predict(self, images: Floats) -> Scores:
            scores = super().predict(images)
            scores.features[:, 1] = 0
            return scores

    domain = find_domain(Dark(), sample.images, sample.images)

    assert np.isfinite(domain.whitening).all()
    assert explanation.distance(Dark().predict(pixels(sample)[:1]).features[0], domain) < 5


def repeated(sample: Sample, times: int) -> Sample:
    """Return a sample with each image that many times."""
    return replace(sample, indices=np.tile(sample.indices, times))


def test_ranges_hold_correct_decisions(sample: Sample) -> None:
    many = repeated(sample, 2)

    ranges = reference_of(MODEL, many)[0][Method.GRAD_CAM]

    decided = MODEL.predict(pixels(many)).probabilities[:, 1] >= MODEL.manifest.threshold
    right = decided == (many.labels == 1)
    entropies = [entropy(many, int(index)) for index in np.flatnonzero(right & decided)]
    if len(entropies) >= 20:
        expected = find_range(entropies)
        assert ranges.positive["entropy"].low == pytest.approx(expected.low)
        assert ranges.positive["entropy"].high == pytest.approx(expected.high)
    else:
        assert ranges.positive == {}


def test_many_images_bound_the_range_by_order() -> None:
    values = [float(value) for value in range(1, 200)]

    bounds = find_range(values)

    # 2 of 200 intervals lie below the second value, and 2 above the last but one.
    assert (bounds.low, bounds.high) == (2, 198)


@pytest.mark.parametrize("count", [20, 50, 150])
def test_range_leaves_out_one_percent_on_either_side(count: int) -> None:
    rng = np.random.default_rng(3)
    samples = rng.normal(5, 2, (2000, count))

    bounds = [find_range(values.tolist()) for values in samples]

    below = norm.cdf([(bound.low - 5) / 2 for bound in bounds]).mean()
    above = norm.sf([(bound.high - 5) / 2 for bound in bounds]).mean()
    assert (below, above) == pytest.approx((0.01, 0.01), abs=0.006)


def test_range_of_equal_values_is_that_value() -> None:
    assert find_range([1.0] * 20) == ReferenceRange(1, 1)


def entropy(sample: Sample, index: int) -> float:
    """Return the entropy of an image's Grad-CAM, computed for this image alone."""
    gradients = MODEL.layer_gradients("conv2d", sample.image(index)[None], np.ones(1, np.int32))
    _, figures = explanation.explain_layer(
        Method.GRAD_CAM,
        gradients.maps[0],
        gradients.gradients[0],
        MODEL.manifest.layers[0],
        sample.mask(index),
        sample.part.to_source(0),
    )

    return figures["entropy"]


def test_too_few_images_give_no_range(sample: Sample) -> None:
    ranges, _ = reference_of(MODEL, sample)

    assert ranges[Method.GRAD_CAM].positive == {}


def with_peaks(median: float) -> dict[Method, Figures]:
    """Return raw peaks of Grad-CAM on 21 images, with that median."""
    figures: dict[Method, Figures] = {method: {} for method in METHODS}
    figures[Method.GRAD_CAM]["peak"] = [median + step for step in range(-10, 11)]
    return figures


def test_reference_peak_is_median_of_positives() -> None:
    assert reference_peaks(with_peaks(40), with_peaks(15)) == {Method.GRAD_CAM: 40}


def test_equally_strong_negatives_give_no_peak() -> None:
    assert reference_peaks(with_peaks(15), with_peaks(40)) == {}
    assert reference_peaks(with_peaks(15), with_peaks(15)) == {}


def test_too_few_images_give_no_peak() -> None:
    few = with_peaks(40)
    del few[Method.GRAD_CAM]["peak"][19:]

    assert reference_peaks(few, with_peaks(15)) == {}
    assert reference_peaks(with_peaks(60), few) == {}


def test_peaks_of_right_decisions_are_measured(sample: Sample) -> None:
    class Divided(FakeModel):
        # About half of the images reach this threshold.
        manifest = MODEL.manifest.model_copy(update={"threshold": 0.4235})

    decided = MODEL.predict(pixels(sample)).probabilities[:, 1] >= 0.4235
    right = decided == (sample.labels == 1)

    ranges, reference = reference_of(Divided(), repeated(sample, 20))

    positive = pixels(sample)[right & decided]
    batch = MODEL.layer_gradients("conv2d", positive, np.ones(len(positive), np.int32))
    peaks = [
        explanation.signed_map(Method.GRAD_CAM, maps, slopes).max()
        for maps, slopes in zip(batch.maps, batch.gradients, strict=True)
    ]
    assert reference[Method.GRAD_CAM] == pytest.approx(np.median(peaks))
    assert "peak" not in ranges[Method.GRAD_CAM].positive
