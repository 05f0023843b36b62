import numpy as np
import pytest

from service.explanation import heat_figures, heatmap_warnings, measure
from service.geometry import Affine
from service.records import Floats, Heatmap, MapState, Mask, Peak, ReceptiveField, ReferenceRange

FIELD = ReceptiveField(height=1, width=1, stride_y=2, stride_x=2, offset_y=0.5, offset_x=0.5)
LEFT_HALF: Mask = np.zeros((8, 8), np.bool_)
LEFT_HALF[:, :4] = True


def heated(values: Floats) -> Heatmap:
    row, column = (int(index) for index in np.unravel_index(values.argmax(), values.shape))
    peak = Peak(float(values.max()), row, column, column, row)
    return Heatmap(values.astype(np.float32), Affine(), MapState.OK, peak)


def codes(values: Floats, mask: Mask = LEFT_HALF) -> list[str]:
    found = heated(values)
    return [
        warning.code
        for warning in heatmap_warnings(
            found, measure(heat_figures(found, mask, FIELD), {}), positive=True
        )
    ]


def test_a_uniform_map_has_lift_one_and_entropy_one_and_is_called_uniform() -> None:
    found = heat_figures(heated(np.ones((4, 4), np.float32)), LEFT_HALF, FIELD)
    assert found["heat_in_breast"] == pytest.approx(0.5)
    assert found["breast_share"] == pytest.approx(0.5)
    assert found["lift"] == pytest.approx(1)
    assert found["entropy"] == pytest.approx(1)
    assert found["area_above_half"] == 1
    assert codes(np.ones((4, 4), np.float32)) == ["heatmap-uniform"]


def test_one_hot_cell_in_the_breast_raises_no_warning() -> None:
    values = np.zeros((4, 4), np.float32)
    values[2, 1] = 7
    found = heat_figures(heated(values), LEFT_HALF, FIELD)
    assert (found["heat_in_breast"], found["lift"], found["peak_in_breast"]) == (1, 2, 1)
    assert (found["area_above_half"], found["entropy"]) == (1 / 16, 0)
    assert codes(values) == []


def test_heat_outside_the_breast_is_warned_about() -> None:
    values = np.zeros((4, 4), np.float32)
    values[0, 3], values[0, 0] = 3, 1
    found = heat_figures(heated(values), LEFT_HALF, FIELD)
    assert found["heat_in_breast"] == pytest.approx(0.25)
    assert found["lift"] == pytest.approx(0.5)
    assert codes(values) == ["peak-outside-breast", "heat-outside-breast"]


def test_entropy_of_two_equal_cells_is_one_bit_of_four() -> None:
    values = np.zeros((4, 4), np.float32)
    values[0, 0] = values[3, 3] = 1
    assert heat_figures(heated(values), LEFT_HALF, FIELD)["entropy"] == pytest.approx(
        np.log(2) / np.log(16)
    )


def test_a_blank_map_has_no_figures_and_its_reason_is_told() -> None:
    blank = Heatmap(np.zeros((4, 4), np.float32), Affine(), MapState.ALL_NEGATIVE, None)
    found = heat_figures(blank, LEFT_HALF, FIELD)
    assert found == {}
    (warning,) = heatmap_warnings(blank, {}, positive=True)
    assert warning.code == "heatmap-blank"
    assert "speaks for this class" in warning.message


def test_a_mask_without_breast_gives_no_lift_instead_of_dividing_by_zero() -> None:
    assert "lift" not in heat_figures(
        heated(np.ones((4, 4), np.float32)), np.zeros_like(LEFT_HALF), FIELD
    )


def test_where_the_model_s_own_range_of_the_lift_is_known_it_decides_instead_of_one() -> None:
    values = np.zeros((4, 4), np.float32)
    values[0, 0], values[0, 3] = 2, 3
    values[1, 1] = 3.5
    found = heat_figures(heated(values), LEFT_HALF, FIELD) | {"lift": 0.9}
    assert [
        warning.code
        for warning in heatmap_warnings(heated(values), measure(found, {}), positive=True)
    ] == ["heat-outside-breast"]
    assert (
        heatmap_warnings(
            heated(values), measure(found, {"lift": ReferenceRange(0.8, 2)}), positive=True
        )
        == ()
    )


def test_the_gini_index_is_that_of_a_hand_worked_case() -> None:
    # shares 0, 0, 1/4, 3/4: 1 - 2 * (1/4 * 1.5 + 3/4 * 0.5) / 4
    values = np.array([[0, 0], [1, 3]], np.float32)
    found = heat_figures(heated(values), LEFT_HALF, FIELD)
    assert found["gini"] == pytest.approx(1 - 2 * (0.25 * 1.5 + 0.75 * 0.5) / 4)
    assert heat_figures(heated(np.ones((8, 8), np.float32)), LEFT_HALF, FIELD)[
        "gini"
    ] == pytest.approx(0)


def test_the_chest_wall_is_no_border_and_a_hot_corner_is_told_by_its_lift() -> None:
    chest_wall = np.zeros((10, 10), np.float32)
    chest_wall[5, 0] = 1
    assert heat_figures(heated(chest_wall), LEFT_HALF, FIELD)["border_lift"] == 0
    corner = np.zeros((10, 10), np.float32)
    corner[0, 9] = corner[5, 5] = 1
    found = heat_figures(heated(corner), LEFT_HALF, FIELD)
    assert found["corner_lift"] == pytest.approx(50)  # half of the heat in one of 100 cells
    assert found["border_lift"] == pytest.approx(
        0.5 / 0.28
    )  # in two rows of 10 and a column of 8 more


@pytest.mark.parametrize(
    ("positive", "gap", "warned"), [(True, -0.1, True), (True, 0.1, False), (False, -0.1, False)]
)
def test_heat_that_does_not_matter_is_warned_about_where_there_is_a_finding(
    positive: bool, gap: float, warned: bool
) -> None:
    values = np.zeros((4, 4), np.float32)
    values[2, 1] = 7
    found = measure(heat_figures(heated(values), LEFT_HALF, FIELD) | {"insertion_gap": gap}, {})
    codes = [warning.code for warning in heatmap_warnings(heated(values), found, positive=positive)]
    assert codes == (["heat-without-effect"] if warned else [])


@pytest.mark.parametrize(
    ("positive", "low", "warned"),
    [(True, 0.0, True), (False, 0.0, False), (False, 1.0, True), (False, None, True)],
)
def test_a_peak_outside_the_breast_is_borne_only_where_the_model_s_negative_images_have_it(
    positive: bool, low: float | None, warned: bool
) -> None:
    values = np.zeros((4, 4), np.float32)
    values[0, 3], values[1, 0] = 3, 2
    ranges = {"lift": ReferenceRange(0, 2)} | (
        {} if low is None else {"peak_in_breast": ReferenceRange(low, 1)}
    )
    found = measure(heat_figures(heated(values), LEFT_HALF, FIELD), ranges)
    codes = [warning.code for warning in heatmap_warnings(heated(values), found, positive=positive)]
    assert codes == (["peak-outside-breast"] if warned else [])
