"""The scale of a heatmap, and its peak beside the reference peak of the model version."""

from dataclasses import replace

import numpy as np
import pytest

from service.geometry import IDENTITY
from service.imaging import read
from service.model import Bundle, FakeModel
from service.observability.stopwatch import Stopwatch
from service.pipeline import Question, assessment, explain
from service.pipeline.class_explanation import ClassExplanation
from service.pipeline.heat_strength import HeatStrength, find_strength
from service.records import Heatmap, HeatScale, MapState, Method, Peak, Scores

MODEL = FakeModel()
"""Its reference peak is 0.008, for Grad-CAM alone."""
CANCER = 1
LAYER = MODEL.manifest.layers[0]
SCORES = Scores(*(np.zeros(size, np.float32) for size in (2, 2, 3)))


def explained(value: float, method: Method = Method.GRAD_CAM) -> ClassExplanation:
    """Return an explanation whose map has that peak."""
    heatmap = Heatmap(
        np.full((1, 1), value, np.float32), IDENTITY, MapState.OK, Peak(value, 0, 0, 0.0, 0.0)
    )
    return ClassExplanation(method, LAYER, LAYER.receptive_field, heatmap, {}, SCORES)


@pytest.mark.parametrize(("value", "relative"), [(0.002, 0.25), (0.008, 1), (0.02, 2.5)])
def test_peak_is_related_to_reference_peak(value: float, relative: float) -> None:
    strength = find_strength(MODEL, explained(value), CANCER, None)

    assert (strength.scale, strength.full_value) == (HeatScale.REFERENCE, 0.008)
    assert strength.relative_peak == pytest.approx(relative)


def test_own_scale_keeps_relative_peak() -> None:
    strength = find_strength(MODEL, explained(0.002), CANCER, HeatScale.IMAGE)

    assert (strength.scale, strength.full_value) == (HeatScale.IMAGE, None)
    assert strength.relative_peak == pytest.approx(0.25)


def test_blank_map_has_no_relative_peak() -> None:
    blank = Heatmap(np.zeros((1, 1), np.float32), IDENTITY, MapState.ALL_NEGATIVE, None)

    strength = find_strength(MODEL, replace(explained(1), heatmap=blank), CANCER, None)

    assert strength == HeatStrength(HeatScale.REFERENCE, 0.008, None)


@pytest.mark.parametrize("asked", [None, *HeatScale])
def test_map_without_reference_has_own_scale(asked: HeatScale | None) -> None:
    """Neither another method, class or the input has one, nor has a version without a scorecard."""
    untested = FakeModel()
    untested.manifest = MODEL.manifest.model_copy(update={"reference": None})
    own = HeatStrength(HeatScale.IMAGE, None, None)

    assert find_strength(MODEL, explained(1, Method.EIGEN_CAM), CANCER, asked) == own
    assert find_strength(MODEL, explained(1), 1 - CANCER, asked) == own
    assert find_strength(MODEL, replace(explained(1), layer=None), CANCER, asked) == own
    assert find_strength(untested, explained(1), CANCER, asked) == own


@pytest.mark.parametrize(
    ("asked", "used", "codes"),
    [
        (None, HeatScale.IMAGE, []),
        (HeatScale.IMAGE, HeatScale.IMAGE, []),
        (HeatScale.REFERENCE, HeatScale.REFERENCE, []),
        (HeatScale.REFERENCE, HeatScale.IMAGE, ["no-reference-peak"]),
    ],
)
def test_only_caller_who_asked_is_warned(
    asked: HeatScale | None, used: HeatScale, codes: list[str]
) -> None:
    assessed = assessment.assess_scale(asked, used)

    assert [warning.code for warning in assessed.warnings] == codes


def test_older_bundle_draws_heat_on_own_scale(older_bundle: Bundle, mammogram_png: bytes) -> None:
    question = Question(scale=HeatScale.REFERENCE)

    answer = explain(older_bundle, read, mammogram_png, Stopwatch(), question)

    peak = answer.class_explanation.heatmap.peak
    assert answer.strength == HeatStrength(HeatScale.IMAGE, None, None)
    assert "no-reference-peak" in [warning.code for warning in answer.warnings]
    assert peak is not None
    assert answer.drawn_heat.full_value == peak.value
