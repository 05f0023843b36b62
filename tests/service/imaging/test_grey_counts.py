"""Order statistics from counts against NumPy's."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.imaging.grey_counts import count_values, percentile


@pytest.mark.parametrize("size", [1, 2, 1000, 1001])
@pytest.mark.parametrize("percent", [0, 0.5, 33, 50, 99.5, 100])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_percentile_equals_that_of_the_pixels(size: int, percent: float, kind: type) -> None:
    highest = np.iinfo(kind).max + 1
    values: NDArray[np.unsignedinteger[Any]] = (
        np.random.default_rng(size).integers(0, highest, size).astype(kind)
    )

    expected = np.percentile(values, percent)
    assert percentile(count_values(values), percent) == pytest.approx(expected, rel=1e-12)
