"""The demo bundle in the whole pipeline, from DICOM phantoms to explained predictions."""

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
from service.runtime.model_loader import load_model
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
def test_photometric_interpretation_does_not_change_result(
    explain: Explain, phantom: PhantomImage, windows: tuple[PhantomWindow, ...]
) -> None:
    acquisition = Acquisition(windows=windows)
    inverted = replace(acquisition, photometric="MONOCHROME1")

    plain = explain(to_dicom_bytes(phantom, acquisition))
    inverse = explain(to_dicom_bytes(phantom, inverted))

    assert probability(inverse) == pytest.approx(probability(plain), abs=1e-4)
    assert inverse.class_explanation.heatmap.peak == plain.class_explanation.heatmap.peak


def test_mirrored_image_has_mirrored_peak(explain: Explain, phantom: PhantomImage) -> None:
    """The probability is the same."""
    pixels = np.ascontiguousarray(phantom.pixels[:, ::-1])

    plain = explain(to_dicom_bytes(phantom))
    mirrored = explain(to_dicom_bytes(replace(phantom, pixels=pixels)))

    assert probability(mirrored) == pytest.approx(probability(plain), abs=1e-4)
    plain_peak = plain.class_explanation.heatmap.peak
    mirrored_peak = mirrored.class_explanation.heatmap.peak
    assert plain_peak is not None
    assert mirrored_peak is not None
    assert mirrored_peak.x == pytest.approx(DETECTOR.columns - 1 - plain_peak.x)


@pytest.mark.parametrize("padding", [(0, 0, 0, 90), (37, 0, 0, 0), (11, 222, 0, 64)])
def test_padded_image_has_shifted_peak(
    explain: Explain, phantom: PhantomImage, padding: tuple[int, int, int, int]
) -> None:
    """The probability is the same."""
    top, bottom, left, right = padding
    pixels = np.pad(
        phantom.pixels, ((top, bottom), (left, right)), constant_values=phantom.pixels.min()
    )

    plain = explain(to_dicom_bytes(phantom))
    padded = explain(to_dicom_bytes(replace(phantom, pixels=pixels)))

    assert probability(padded) == pytest.approx(probability(plain), abs=1e-4)
    plain_peak = plain.class_explanation.heatmap.peak
    padded_peak = padded.class_explanation.heatmap.peak
    assert plain_peak is not None
    assert padded_peak is not None
    assert padded_peak.x == pytest.approx(plain_peak.x + left)
    assert padded_peak.y == pytest.approx(plain_peak.y + top)


def test_peak_lies_in_obvious_cancer(explain: Explain, phantom: PhantomImage) -> None:
    explained = explain(to_dicom_bytes(phantom))

    heatmap = explained.class_explanation.heatmap
    assert probability(explained) > 0.5
    assert heatmap.state is MapState.OK
    assert heatmap.peak is not None
    assert phantom.lesion is not None
    assert phantom.lesion[round(heatmap.peak.y), round(heatmap.peak.x)]


def test_every_layer_can_be_explained(model: Model, phantom: PhantomImage) -> None:
    data = to_dicom_bytes(phantom)

    for layer in model.manifest.layers:
        activations = pipeline.show_activations(model, read, data, Stopwatch(), layer=layer.name)
        explained = pipeline.explain(model, read, data, Stopwatch(), Question(layer=layer.name))

        assert activations.maps.shape == (layer.height, layer.width, layer.filters)
        assert explained.class_explanation.heatmap.values.shape == (layer.height, layer.width)


def test_bundle_with_other_golden_results_is_rejected(model: Model) -> None:
    golden = GoldenCase.load(DEMO)
    changed = golden.pixels.copy()
    changed[changed > 0] //= 2
    changed[::7] //= 2

    pipeline.replay(model, golden)

    with pytest.raises(BundleMismatch, match="golden"):
        pipeline.replay(model, replace(golden, pixels=changed))
    with pytest.raises(BundleMismatch, match="probabilities"):
        pipeline.replay(model, replace(golden, probabilities=golden.probabilities[::-1]))


def test_demo_bundle_is_small_and_states_limitations(model: Model) -> None:
    statements = model.manifest.intended_use + model.manifest.limitations

    assert "not a medical device" in statements.lower()
    assert model.manifest.figures["breast_auc"] >= 0.95
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) <= 3_000_000


def test_demo_bundle_has_curves_of_its_figures(model: Model) -> None:
    figures = model.manifest.figures

    assert model.curves is not None
    levels = model.curves.levels
    assert levels.image is not None
    assert levels.breast is not None
    assert levels.exam is not None
    assert levels.image.auc.value == pytest.approx(figures["image_auc"], abs=1e-4)
    assert levels.breast.auc.low == pytest.approx(figures["breast_auc_low"], abs=1e-4)
    assert levels.exam.auc.value == pytest.approx(figures["exam_auc"], abs=1e-4)
    error = figures["expected_calibration_error"]
    assert model.curves.calibration.error == pytest.approx(error, abs=1e-4)


def test_integrated_gradients_are_complete(model: Model, phantom: PhantomImage) -> None:
    """They add up to the difference of the margin between the image and the blurred breast."""
    question = Question(method=Method.INTEGRATED_GRADIENTS)

    explained = pipeline.explain(model, read, to_dicom_bytes(phantom), Stopwatch(), question)

    assert explained.diagnostics["completeness"].value < 0.01


def test_phantom_is_in_domain(model: Model, explain: Explain, phantom: PhantomImage) -> None:
    explained = explain(to_dicom_bytes(phantom))

    assert "out-of-domain" not in [warning.code for warning in explained.warnings]
    assert model.domain is not None
    assert explained.diagnostics["domain_distance"].value < model.domain.limit


def test_breast_of_other_texture_is_out_of_domain(explain: Explain, phantom: PhantomImage) -> None:
    shape = (DETECTOR.rows // 8, DETECTOR.columns // 8)
    grain = np.random.default_rng(0).integers(-9000, 9000, shape)
    coarse = np.kron(grain, np.ones((8, 8)))
    grainy = np.clip(phantom.pixels + coarse, 1, 65535)
    pixels = np.where(phantom.pixels > 0, grainy, 0).astype(np.uint16)

    explained = explain(to_dicom_bytes(replace(phantom, pixels=pixels)))

    assert "out-of-domain" in [warning.code for warning in explained.warnings]


def test_demo_bundle_has_scorecard_and_reference_ranges(model: Model) -> None:
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
