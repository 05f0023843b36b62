"""A fitted tensor stands for a file."""

import numpy as np
import pytest

from service.errors import NoBreast, NotFitted
from service.geometry import IDENTITY
from service.imaging import read_fitted
from service.records import Box, FitParameters

PARAMETERS = FitParameters(4, 3)


def test_tensor_is_the_fitted_image() -> None:
    image = np.zeros((4, 3, 1), "<f4")
    image[1, :2] = [[0.25], [1]]

    fitted = read_fitted(image.tobytes(), PARAMETERS).fitted

    assert np.array_equal(fitted.image, image)
    assert np.array_equal(fitted.mask, image[..., 0] > 0)
    assert (fitted.to_source, fitted.box, fitted.side) == (IDENTITY, Box(0, 0, 3, 4), "left")


def test_reading_warns_that_nothing_was_checked() -> None:
    reading = read_fitted(np.ones((4, 3), "<f4").tobytes(), PARAMETERS)

    assert [warning.code for warning in reading.warnings] == ["fitted-by-caller"]
    assert reading.picture is None


@pytest.mark.parametrize("size", [0, 44, 52])
def test_other_number_of_values_is_refused(size: int) -> None:
    with pytest.raises(NotFitted, match="as many values"):
        read_fitted(bytes(size), PARAMETERS)


@pytest.mark.parametrize("value", [-0.001, 1.001, np.nan, np.inf])
def test_values_outside_are_refused(value: float) -> None:
    image = np.full((4, 3), 0.5, "<f4")
    image[2, 1] = value

    with pytest.raises(NotFitted, match="outside of 0 to 1"):
        read_fitted(image.tobytes(), PARAMETERS)


def test_black_tensor_has_no_breast() -> None:
    with pytest.raises(NoBreast):
        read_fitted(bytes(48), PARAMETERS)
