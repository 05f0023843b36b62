"""The bundle that ships, through the whole service: real DICOM phantoms in, explained predictions out."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from service import pipeline
from service.errors import BundleMismatch
from service.imaging import read
from service.model import GoldenCase, Model
from service.observability.stopwatch import Stopwatch
from service.pipeline import Explanation, Question
from service.records import MapState, Method
from service.runtime import load_model
from service.settings import Settings
from tests.support.paths import ROOT
from training.phantoms import (
    Acquisition,
    Detector,
    Finding,
    FindingKind,
    PhantomImage,
    PhantomWindow,
    render_view,
    to_dicom_bytes,
)

DEMO = ROOT / "models" / "demo" / "1"
DETECTOR = Detector(rows=800, columns=640)
Explain = Callable[[bytes], Explanation]


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(Settings(model=DEMO))


@pytest.fixture(scope="module")
def explain(model: Model) -> Explain:
    return lambda data: pipeline.explain(model, read, data, Stopwatch(), Question())


@pytest.fixture(scope="module")
def phantom() -> PhantomImage:
    finding = Finding(FindingKind.SPICULATED_MASS, conspicuity=0.8)
    return render_view(np.random.default_rng(5), view="MLO", findings=(finding,), detector=DETECTOR)


def probability(explained: Explanation) -> float:
    return explained.prediction.probabilities["cancer"]


@pytest.mark.parametrize(
    "windows",
    [
        (),
        (PhantomWindow(2048, 4096),),
        (PhantomWindow(1900, 900, "SIGMOID"), PhantomWindow(2048, 4096)),
    ],
)
def test_both_photometric_interpretations_of_an_exam_get_the_same_probability(
    explain: Explain, phantom: PhantomImage, windows: tuple[PhantomWindow, ...]
) -> None:
    acquisition = Acquisition(windows=windows)
    plain = explain(to_dicom_bytes(phantom, acquisition))
    inverse = explain(to_dicom_bytes(phantom, replace(acquisition, photometric="MONOCHROME1")))
    assert probability(inverse) == pytest.approx(probability(plain), abs=1e-4)
    assert inverse.class_explanation.heatmap.peak == plain.class_explanation.heatmap.peak


def test_a_mirrored_exam_gets_the_same_probability_and_a_mirrored_peak(
    explain: Explain, phantom: PhantomImage
) -> None:
    plain = explain(to_dicom_bytes(phantom))
    mirrored = explain(
        to_dicom_bytes(replace(phantom, pixels=np.ascontiguousarray(phantom.pixels[:, ::-1])))
    )
    assert probability(mirrored) == pytest.approx(probability(plain), abs=1e-4)
    assert plain.class_explanation.heatmap.peak is not None
    assert mirrored.class_explanation.heatmap.peak is not None
    assert mirrored.class_explanation.heatmap.peak.x == pytest.approx(
        DETECTOR.columns - 1 - plain.class_explanation.heatmap.peak.x
    )


@pytest.mark.parametrize("padding", [(0, 0, 0, 90), (37, 0, 0, 0), (11, 222, 0, 64)])
def test_a_padded_exam_gets_the_same_probability_and_a_shifted_peak(
    explain: Explain, phantom: PhantomImage, padding: tuple[int, int, int, int]
) -> None:
    top, bottom, left, right = padding
    pixels = np.pad(
        phantom.pixels, ((top, bottom), (left, right)), constant_values=phantom.pixels.min()
    )
    plain, padded = (
        explain(to_dicom_bytes(phantom)),
        explain(to_dicom_bytes(replace(phantom, pixels=pixels))),
    )
    assert probability(padded) == pytest.approx(probability(plain), abs=1e-4)
    assert plain.class_explanation.heatmap.peak is not None
    assert padded.class_explanation.heatmap.peak is not None
    assert padded.class_explanation.heatmap.peak.x == pytest.approx(
        plain.class_explanation.heatmap.peak.x + left
    )
    assert padded.class_explanation.heatmap.peak.y == pytest.approx(
        plain.class_explanation.heatmap.peak.y + top
    )


def test_an_obvious_cancer_is_found_and_the_peak_lies_in_it(
    explain: Explain, phantom: PhantomImage
) -> None:
    explained = explain(to_dicom_bytes(phantom))
    assert probability(explained) > 0.5
    assert explained.class_explanation.heatmap.state is MapState.OK
    assert explained.class_explanation.heatmap.peak is not None
    assert phantom.lesion is not None
    assert phantom.lesion[
        round(explained.class_explanation.heatmap.peak.y),
        round(explained.class_explanation.heatmap.peak.x),
    ]


def test_every_layer_explains(model: Model, phantom: PhantomImage) -> None:
    data = to_dicom_bytes(phantom)
    for layer in model.manifest.layers:
        seen = pipeline.show_activations(model, read, data, Stopwatch(), layer=layer.name)
        assert seen.maps.shape == (layer.height, layer.width, layer.filters)
        explained = pipeline.explain(model, read, data, Stopwatch(), Question(layer=layer.name))
        assert explained.class_explanation.heatmap.values.shape == (layer.height, layer.width)


def test_a_bundle_that_no_longer_gives_its_golden_answers_is_refused(model: Model) -> None:
    golden = GoldenCase.load(DEMO)
    pipeline.replay(model, golden)
    changed = golden.pixels.copy()
    changed[changed > 0] //= 2
    changed[::7] //= 2
    with pytest.raises(BundleMismatch, match="golden"):
        pipeline.replay(model, replace(golden, pixels=changed))
    with pytest.raises(BundleMismatch, match="probabilities"):
        pipeline.replay(model, replace(golden, probabilities=golden.probabilities[::-1]))


def test_the_demo_bundle_says_what_it_is_and_is_small(model: Model) -> None:
    assert (
        "not a medical device" in (model.manifest.intended_use + model.manifest.limitations).lower()
    )
    assert model.manifest.figures["breast_auc"] >= 0.95
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) <= 3_000_000


def test_integrated_gradients_add_up_to_what_the_margin_gains_over_the_blurred_breast(
    model: Model, phantom: PhantomImage
) -> None:
    question = Question(method=Method.INTEGRATED_GRADIENTS)
    explained = pipeline.explain(model, read, to_dicom_bytes(phantom), Stopwatch(), question)
    assert explained.diagnostics["completeness"].value < 0.01


def test_a_phantom_is_in_the_domain_and_a_breast_of_another_texture_is_not(
    model: Model, explain: Explain, phantom: PhantomImage
) -> None:
    explained = explain(to_dicom_bytes(phantom))
    assert [warning.code for warning in explained.warnings if warning.code == "out-of-domain"] == []
    assert model.domain is not None
    assert explained.diagnostics["domain_distance"].value < model.domain.limit
    grain = np.random.default_rng(0).integers(
        -9000, 9000, (DETECTOR.rows // 8, DETECTOR.columns // 8)
    )
    coarse = np.kron(grain, np.ones((8, 8)))
    pixels = np.where(phantom.pixels > 0, np.clip(phantom.pixels + coarse, 1, 65535), 0).astype(
        np.uint16
    )
    other = explain(to_dicom_bytes(replace(phantom, pixels=pixels)))
    assert "out-of-domain" in [warning.code for warning in other.warnings]


def test_the_demo_bundle_passed_its_scorecard_and_brings_its_reference(model: Model) -> None:
    assert model.scorecard is not None
    assert model.scorecard.passed
    assert set(model.scorecard.methods) == set(Method)
    for layer in model.manifest.layers:
        for positive in (True, False):
            assert {"lift", "entropy", "agreement"} <= set(
                model.manifest.ranges(layer.name, Method.GRAD_CAM, positive=positive)
            )
    default = model.manifest.ranges(model.manifest.default_layer, Method.GRAD_CAM, positive=True)
    assert {"stability", "insertion_gap"} <= set(default)
