"""Centroids of measured fields, by hand and with known shapes."""

import numpy as np
import pytest

from service.records import ConvLayer, Floats, ReceptiveField
from training.introspection.effective_field import EffectiveField

HEIGHT, WIDTH = 160, 128
STRIDE = 16


def layer() -> ConvLayer:
    """Return a layer whose cells are centred on 7.5, 23.5, ... in both directions."""
    field = ReceptiveField(400, 400, STRIDE, STRIDE, 7.5, 7.5)
    return ConvLayer("conv", HEIGHT // STRIDE, WIDTH // STRIDE, 4, "deep", field)


def bell(y: float, x: float, spread: float) -> Floats:
    """Return a normal distribution over the pixels, cut by the edges of the image."""
    rows, columns = np.indices((HEIGHT, WIDTH))
    return np.asarray(np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * spread**2)))


def measured(shift_y: float = 0, shift_x: float = 0, spread: float = 10) -> EffectiveField:
    """Return the fields of a layer whose cells are all this far from their places."""
    field = EffectiveField(layer(), HEIGHT, WIDTH)
    for number, (row, column) in enumerate(field.cells):
        y = 7.5 + STRIDE * row + shift_y
        x = 7.5 + STRIDE * column + shift_x
        field.add(number, bell(y, x, spread))

    return field


def test_cells_are_middle_and_quarters() -> None:
    """Quarters of 160 rows are 39.75, 79.5 and 119.25; of 128 columns 31.75, 63.5 and 95.25."""
    field = EffectiveField(layer(), HEIGHT, WIDTH)

    # The nearest cells: rows at 71.5, 39.5 and 119.5, columns at 55.5, 39.5 and 87.5.
    assert field.cells == [(4, 3), (2, 2), (2, 5), (7, 2), (7, 5)]


@pytest.mark.parametrize("spread", [3, 30, 100])
def test_cut_fields_in_place_are_in_place(spread: float) -> None:
    displacement = measured(spread=spread).largest_displacement()

    assert displacement is not None
    assert displacement.strides < 0.02


def test_shifted_fields_are_told_in_strides() -> None:
    displacement = measured(shift_y=STRIDE, shift_x=-STRIDE / 2, spread=3).largest_displacement()

    assert displacement is not None
    assert displacement.strides == pytest.approx(1, abs=1e-3)
    x, y = displacement.expected
    assert displacement.measured == pytest.approx((x - STRIDE / 2, y + STRIDE), abs=1e-2)


@pytest.mark.parametrize("spread", [3, 30])
def test_cell_with_mirrored_field_is_told(spread: float) -> None:
    field = EffectiveField(layer(), HEIGHT, WIDTH)
    for number, (row, column) in enumerate(field.cells):
        y = HEIGHT - 1 - (7.5 + STRIDE * row)
        field.add(number, bell(y, 7.5 + STRIDE * column, spread))

    displacement = field.largest_displacement()

    assert displacement is not None
    assert displacement.strides > 1
    assert (displacement.row, displacement.column) != field.cells[0]


def test_every_image_counts_alike() -> None:
    field = EffectiveField(layer(), HEIGHT, WIDTH)
    y = 7.5 + STRIDE * 4
    x = 7.5 + STRIDE * 3
    field.add(0, bell(y, x, 3))
    field.add(0, 1000 * bell(y, x + STRIDE, 3))

    displacement = field.largest_displacement()

    assert displacement is not None
    assert displacement.strides == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_unusable_gradients_give_no_displacement(value: float) -> None:
    field = EffectiveField(layer(), HEIGHT, WIDTH)

    field.add(0, np.full((HEIGHT, WIDTH), value))

    assert field.largest_displacement() is None
