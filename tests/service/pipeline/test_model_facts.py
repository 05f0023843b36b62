"""Warnings about facts that a bundle lacks."""

from dataclasses import replace
from typing import Any

import pytest

from service.model import Bundle, FakeModel
from service.pipeline import model_warnings
from service.records import EffectiveSize
from tests.support.level_facts import curves, provenance


def complete() -> FakeModel:
    """Return a model that lacks no fact. It failed its scorecard."""
    model = FakeModel()
    (layer,) = model.manifest.layers
    layers = (replace(layer, effective_size=EffectiveSize(5.0, 5.0)),)
    changes = {"layers": layers, "provenance": provenance()}
    model.manifest = model.manifest.model_copy(update=changes)
    model.curves = curves()
    return model


def codes(model: FakeModel | Bundle) -> list[str]:
    return [warning.code for warning in model_warnings(model)]


def test_complete_model_lacks_nothing() -> None:
    assert codes(complete()) == ["scorecard-failed"]


@pytest.mark.parametrize(
    ("fact", "code"),
    [
        ("reference", "no-reference-peak"),
        ("levels", "no-levels"),
        ("provenance", "no-provenance"),
    ],
)
def test_missing_fact_of_model_has_its_code(fact: str, code: str) -> None:
    model = complete()
    model.manifest = model.manifest.model_copy(update={fact: None})

    assert codes(model) == ["scorecard-failed", code]


def test_missing_curves_have_their_code() -> None:
    model = complete()
    model.curves = None

    assert codes(model) == ["scorecard-failed", "no-curves"]


@pytest.mark.parametrize(
    ("fact", "code"),
    [("effective_size", "no-effective-size"), ("methods", "no-layer-methods")],
)
def test_missing_fact_of_layer_has_its_code(fact: str, code: str) -> None:
    model = complete()
    (layer,) = model.manifest.layers
    lacking: dict[str, Any] = {fact: None}
    layers = (replace(layer, **lacking),)
    model.manifest = model.manifest.model_copy(update={"layers": layers})

    assert codes(model) == ["scorecard-failed", code]


def test_bundle_of_earlier_release_lacks_these_facts(older_bundle: Bundle) -> None:
    assert codes(older_bundle) == [
        "older-bundle",
        "no-scorecard",
        "no-reference-peak",
        "no-effective-size",
        "no-layer-methods",
        "no-levels",
        "no-curves",
        "no-provenance",
    ]
