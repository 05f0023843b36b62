"""Replay of golden cases: of a bundle as it is exported today, and of an older one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service import pipeline
from service.errors import BundleMismatch
from service.model import Bundle, GoldenCase
from service.pipeline.assessment import assess_model


@pytest.fixture
def golden(bundle_path: Path) -> GoldenCase:
    return GoldenCase.load(bundle_path)


def other_pixels(golden: GoldenCase) -> GoldenCase:
    """Return the case with pixels whose fit is another image."""
    return replace(golden, pixels=np.ascontiguousarray(golden.pixels[::-1, :300]))


def test_fit_of_golden_pixels_must_agree(bundle: Bundle, golden: GoldenCase) -> None:
    pipeline.replay(bundle, golden)

    with pytest.raises(BundleMismatch, match="fitted image differs"):
        pipeline.replay(bundle, other_pixels(golden))


def test_older_bundle_is_replayed_from_fitted_image(
    older_bundle: Bundle, golden: GoldenCase
) -> None:
    pipeline.replay(older_bundle, golden)
    pipeline.replay(older_bundle, other_pixels(golden))


def test_older_bundle_with_other_results_is_rejected(
    older_bundle: Bundle, golden: GoldenCase
) -> None:
    with pytest.raises(BundleMismatch, match="probabilities"):
        pipeline.replay(older_bundle, replace(golden, probabilities=golden.probabilities[::-1]))
    with pytest.raises(BundleMismatch, match="heatmap"):
        pipeline.replay(older_bundle, replace(golden, heatmap=golden.heatmap[::-1]))


def test_answers_of_older_bundle_carry_warning(bundle: Bundle, older_bundle: Bundle) -> None:
    of_older = [warning.code for warning in assess_model(older_bundle).warnings]
    of_newer = [warning.code for warning in assess_model(bundle).warnings]

    assert of_older == ["older-bundle", "no-scorecard"]
    assert of_newer == ["no-scorecard"]
