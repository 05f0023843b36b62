"""Digits of the numbers in answers."""

import json
import math
import re
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from service.api import responses
from service.api.schemas.answers import Matrix
from service.api.schemas.rounding import SHARE_DIGITS, kept_apart
from service.geometry import Affine
from service.imaging import read
from service.model import FakeModel
from service.observability.stopwatch import Stopwatch
from service.pipeline import ImagePrediction, predict
from service.records import Diagnostic, ReferenceRange


@pytest.fixture(scope="module")
def prediction(mammogram_png: bytes) -> ImagePrediction:
    return predict(FakeModel(), read, mammogram_png, Stopwatch())


def numbers(value: Any, path: str = "") -> list[tuple[str, float]]:
    """Return every number of a JSON value that is no integer, with the names that lead to it."""
    if isinstance(value, dict):
        return [pair for name in value for pair in numbers(value[name], f"{path}/{name}")]
    if isinstance(value, list):
        return [pair for inner in value for pair in numbers(inner, path)]
    return [(path, value)] if isinstance(value, float) else []


def digits(value: float) -> int:
    """Return the number of significant digits of a number as JSON writes it."""
    mantissa = json.dumps(abs(value)).partition("e")[0].removesuffix(".0")
    return len(mantissa.replace(".", "").lstrip("0"))


@pytest.mark.parametrize(
    "route", ["/predict", "/gradcam?diagnostics=full", "/gradcam?method=occlusion",
              "/activations/conv2d", "/model", "/model/layers", "/model/scorecard"],
)  # fmt: skip
def test_no_number_has_many_digits(client: TestClient, mammogram_png: bytes, route: str) -> None:
    takes_image = not route.startswith("/model")
    files = {"file": mammogram_png} if takes_image else None

    answer = client.request("POST" if takes_image else "GET", route, files=files)

    for path, number in numbers(answer.json()):
        exact = "to_source" in path or re.search("(stride|offset)_", path)
        assert digits(number) <= (8 if exact else 6), (path, number)
        if "timings" in path:
            assert round(number, 1) == number


@pytest.mark.parametrize("columns", [640, 4915, 6000])
def test_matrix_is_exact_over_large_image(columns: int) -> None:
    """To a thousandth of a pixel at the far edge."""
    for step in (1 / 3, columns / 1024, columns / 22.7, (columns - 1) / columns):
        affine = Affine(step, step / 2 - 0.5, -step, columns - math.pi)

        (a, b, c), (d, e, f) = TypeAdapter(Matrix).validate_python(responses.matrix(affine))

        last = columns / step
        assert (a * last + b + c, d + e * last + f) == pytest.approx(
            affine.apply(last, last), abs=1e-3
        )


@pytest.mark.parametrize(
    ("value", "bound", "expected"),
    [
        (0.12345601, 0.12345602, 0.123455),  # both are 0.123456
        (0.12345602, 0.12345601, 0.123457),
        (0.0999999999, 0.1, 0.099999),
        (1.0000000001, 1.0, 1.00001),
        (-2.0000000001, -2.0, -2.00001),
        (0.0, 0.0, 0.0),
        (0.5, 0.5, 0.5),
        (0.123456789, 0.9, 0.123457),
    ],
)
def test_rounding_does_not_cross_the_bound(value: float, bound: float, expected: float) -> None:
    """The cases are worked by hand, with six digits."""
    assert kept_apart(value, bound, SHARE_DIGITS) == expected


@pytest.mark.parametrize("offset", [-1e-3, -1e-7, -1e-9, 0.0, 1e-9, 1e-7, 1e-3])
@pytest.mark.parametrize("threshold", [0.1, 0.07604406774044037, 0.12345649999, 0.9999999])
def test_rounded_probability_agrees_with_decision(
    prediction: ImagePrediction, threshold: float, offset: float
) -> None:
    """A reader that compares the two numbers of an answer decides as the service did."""
    manifest = FakeModel.manifest.model_copy(update={"threshold": threshold})
    probability = min(threshold + offset, 1.0)
    close = replace(prediction, probabilities={"no_cancer": 1 - probability, "cancer": probability})

    shown = responses.prediction(close, manifest)

    assert shown.positive == (probability >= threshold)
    assert shown.positive == (shown.probabilities["cancer"] >= shown.threshold)
    assert shown.probabilities["cancer"] == pytest.approx(probability, rel=2e-5)


def test_rounded_figure_agrees_with_unusual() -> None:
    reference = ReferenceRange(1.00000001, 2.00000001)
    measures = {
        "lift": Diagnostic(1.0000000001, reference, unusual=True, alarm="below"),
        "entropy": Diagnostic(2.00000002, reference, unusual=True, alarm="above"),
        "agreement": Diagnostic(2.5, reference, unusual=False, alarm="below"),
    }

    shown = responses.diagnostics(measures)

    assert shown["lift"].reference is not None
    assert (shown["lift"].reference.low, shown["lift"].reference.high) == (1.0, 2.0)
    assert shown["lift"].value < 1
    assert shown["entropy"].value > 2
    assert (shown["agreement"].value, shown["agreement"].alarm) == (2.5, "below")
