from collections.abc import Mapping

import numpy as np
import pytest

from service.explanation import diagnose, heat_figures, heatmap_warnings
from service.geometry import Affine
from service.records import (
    Diagnostic,
    Floats,
    Heatmap,
    MapState,
    Mask,
    Peak,
    ReceptiveField,
    ReferenceRange,
)

FIELD = ReceptiveField(height=1, width=1, stride_y=2, stride_x=2, offset_y=0.5, offset_x=0.5)
LEFT_HALF: Mask = np.zeros((8, 8), np.bool_)
LEFT_HALF[:, :4] = True


def heated(values: Floats) -> Heatmap:
    row, column = (int(index) for index in np.unravel_index(values.argmax(), values.shape))
    peak = Peak(float(values.max()), row, column, column, row)
    return Heatmap(values.astype(np.float32), Affine(), MapState.OK, peak)


def warning_codes(
    values: Floats,
    measures: Mapping[str, Diagnostic] | None = None,
    *,
    positive: bool = True,
) -> list[str]:
    """Return the codes of a map's warnings, by default without reference ranges."""
    heat = heated(values)
    if measures is None:
        measures = diagnose(heat_figures(heat, LEFT_HALF, FIELD), {})

    warnings = heatmap_warnings(heat, measures, positive=positive)
    return [warning.code for warning in warnings]


def test_uniform_map_has_lift_and_entropy_one() -> None:
    values = np.ones((4, 4), np.float32)

    figures = heat_figures(heated(values), LEFT_HALF, FIELD)

    assert figures["heat_in_breast"] == pytest.approx(0.5)
    assert figures["breast_share"] == pytest.approx(0.5)
    assert figures["lift"] == pytest.approx(1)
    assert figures["entropy"] == pytest.approx(1)
    assert figures["area_above_half"] == 1
    assert warning_codes(values) == ["heatmap-uniform"]


def test_one_hot_cell_in_breast_has_no_warning() -> None:
    values = np.zeros((4, 4), np.float32)
    values[2, 1] = 7

    figures = heat_figures(heated(values), LEFT_HALF, FIELD)

    assert (figures["heat_in_breast"], figures["lift"], figures["peak_in_breast"]) == (1, 2, 1)
    assert (figures["area_above_half"], figures["entropy"]) == (1 / 16, 0)
    assert warning_codes(values) == []


def test_heat_outside_breast_has_warnings() -> None:
    values = np.zeros((4, 4), np.float32)
    values[0, 3] = 3
    values[0, 0] = 1

    figures = heat_figures(heated(values), LEFT_HALF, FIELD)

    assert figures["heat_in_breast"] == pytest.approx(0.25)
    assert figures["lift"] == pytest.approx(0.5)
    assert warning_codes(values) == ["peak-outside-breast", "heat-outside-breast"]


def test_entropy_of_two_equal_cells_is_one_bit() -> None:
    """Sixteen cells have at most four bits."""
    values = np.zeros((4, 4), np.float32)
    values[0, 0] = 1
    values[3, 3] = 1

    figures = heat_figures(heated(values), LEFT_HALF, FIELD)

    assert figures["entropy"] == pytest.approx(np.log(2) / np.log(16))


def test_blank_map_has_warning_but_no_figures() -> None:
    blank = Heatmap(np.zeros((4, 4), np.float32), Affine(), MapState.ALL_NEGATIVE, None)

    figures = heat_figures(blank, LEFT_HALF, FIELD)
    (warning,) = heatmap_warnings(blank, {}, positive=True)

    assert figures == {}
    assert warning.code == "heatmap-blank"
    assert "is evidence for this class" in warning.message


def test_mask_without_breast_has_no_lift() -> None:
    """The lift would be a division by zero."""
    uniform = heated(np.ones((4, 4), np.float32))

    figures = heat_figures(uniform, np.zeros_like(LEFT_HALF), FIELD)

    assert "lift" not in figures


def test_reference_range_of_lift_replaces_limit_one() -> None:
    values = np.zeros((4, 4), np.float32)
    values[0, 0] = 2
    values[0, 3] = 3
    values[1, 1] = 3.5
    figures = heat_figures(heated(values), LEFT_HALF, FIELD) | {"lift": 0.9}

    without_range = diagnose(figures, {})
    with_range = diagnose(figures, {"lift": ReferenceRange(0.8, 2)})

    assert warning_codes(values, without_range) == ["heat-outside-breast"]
    assert warning_codes(values, with_range) == []


def test_gini_index_agrees_with_hand_worked_case() -> None:
    # Shares 0, 0, 1/4, 3/4: 1 - 2 * (1/4 * 1.5 + 3/4 * 0.5) / 4.
    unequal = heated(np.array([[0, 0], [1, 3]], np.float32))
    uniform = heated(np.ones((8, 8), np.float32))

    of_unequal = heat_figures(unequal, LEFT_HALF, FIELD)
    of_uniform = heat_figures(uniform, LEFT_HALF, FIELD)

    assert of_unequal["gini"] == pytest.approx(1 - 2 * (0.25 * 1.5 + 0.75 * 0.5) / 4)
    assert of_uniform["gini"] == pytest.approx(0)


def test_chest_wall_is_not_a_border() -> None:
    """A hot corner away from the chest wall raises both lifts."""
    chest_wall = np.zeros((10, 10), np.float32)
    chest_wall[5, 0] = 1
    corner = np.zeros((10, 10), np.float32)
    corner[0, 9] = 1
    corner[5, 5] = 1

    of_chest_wall = heat_figures(heated(chest_wall), LEFT_HALF, FIELD)
    of_corner = heat_figures(heated(corner), LEFT_HALF, FIELD)

    assert of_chest_wall["border_lift"] == 0
    # Half of the heat is in one of 100 cells.
    assert of_corner["corner_lift"] == pytest.approx(50)
    # Half of the heat is in two rows of 10 cells and a column of 8 more.
    assert of_corner["border_lift"] == pytest.approx(0.5 / 0.28)


@pytest.mark.parametrize(
    ("positive", "gap", "warned"), [(True, -0.1, True), (True, 0.1, False), (False, -0.1, False)]
)
def test_heat_without_effect_has_warning_if_positive(
    positive: bool, gap: float, warned: bool
) -> None:
    values = np.zeros((4, 4), np.float32)
    values[2, 1] = 7
    figures = heat_figures(heated(values), LEFT_HALF, FIELD) | {"insertion_gap": gap}

    codes = warning_codes(values, diagnose(figures, {}), positive=positive)

    assert codes == (["heat-without-effect"] if warned else [])


@pytest.mark.parametrize(
    ("positive", "low", "warned"),
    [(True, 0.0, True), (False, 0.0, False), (False, 1.0, True), (False, None, True)],
)
def test_peak_outside_breast_warning_depends_on_range(
    positive: bool, low: float | None, warned: bool
) -> None:
    """It is left out only on a negative image if negative reference images have such peaks too."""
    values = np.zeros((4, 4), np.float32)
    values[0, 3] = 3
    values[1, 0] = 2
    ranges = {"lift": ReferenceRange(0, 2)}
    if low is not None:
        ranges["peak_in_breast"] = ReferenceRange(low, 1)
    figures = heat_figures(heated(values), LEFT_HALF, FIELD)

    codes = warning_codes(values, diagnose(figures, ranges), positive=positive)

    assert codes == (["peak-outside-breast"] if warned else [])
