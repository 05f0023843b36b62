"""Drawn heat as samples of 16 bits."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from service.imaging import read
from service.model import FakeModel
from service.observability.stopwatch import Stopwatch
from service.pipeline import Explanation, Question, explain, pack_heat
from tests.support.sample_display import unpack


@pytest.fixture(scope="module")
def explanation(mammogram_png: bytes) -> Explanation:
    return explain(FakeModel(), read, mammogram_png, Stopwatch(), Question())


def with_heat(explanation: Explanation, values: NDArray[np.float64]) -> Explanation:
    """Return the explanation with other values of heat on the same grid."""
    drawn = replace(explanation.drawn_heat, values=values.astype(np.float32))
    return replace(explanation, drawn_heat=drawn)


def test_hottest_sample_is_the_maximum(explanation: Explanation) -> None:
    values = np.array([[0, 0.25], [0.125, 0.5]])

    packed = pack_heat(with_heat(explanation, values))

    assert packed is not None
    samples = unpack(packed.content, packed.rows, packed.columns)
    assert packed.maximum == 0.5
    assert samples.tolist() == [[0, 32768], [16384, 65535]]
    assert packed.full_value == explanation.drawn_heat.full_value
    assert packed.to_source == explanation.drawn_heat.to_source


def test_blank_heat_is_left_out(explanation: Explanation) -> None:
    assert pack_heat(with_heat(explanation, np.zeros((3, 2)))) is None


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_tiny_and_huge_heat_keep_their_shares(explanation: Explanation, scale: float) -> None:
    packed = pack_heat(with_heat(explanation, scale * np.array([[1.0, 0.5, 0.2]])))

    assert packed is not None
    samples = unpack(packed.content, 1, 3)
    assert samples.tolist() == [[65535, 32768, 13107]]
