import numpy as np
import pytest

from service.explanation import diagnose, heatmap_cautions
from service.geometry import Affine
from service.results import Floats, Heatmap, HeatmapDiagnostics, MapState, Mask, Peak, ReceptiveField

FIELD = ReceptiveField(height=1, width=1, stride_y=2, stride_x=2, offset_y=0.5, offset_x=0.5)
LEFT_HALF: Mask = np.zeros((8, 8), np.bool_)
LEFT_HALF[:, :4] = True


def heated(values: Floats) -> Heatmap:
    row, column = (int(index) for index in np.unravel_index(values.argmax(), values.shape))
    peak = Peak(float(values.max()), row, column, column, row)
    return Heatmap(values.astype(np.float32), Affine(), MapState.OK, peak)


def codes(values: Floats, mask: Mask = LEFT_HALF) -> list[str]:
    found = heated(values)
    return [caution.code for caution in heatmap_cautions(found, diagnose(found, mask, FIELD))]


def test_a_uniform_map_has_lift_one_and_entropy_one_and_is_called_uniform() -> None:
    found = diagnose(heated(np.ones((4, 4), np.float32)), LEFT_HALF, FIELD)
    assert found.heat_in_breast == pytest.approx(0.5)
    assert found.breast_share == pytest.approx(0.5)
    assert found.lift == pytest.approx(1)
    assert found.entropy == pytest.approx(1)
    assert found.area_above_half == 1
    assert codes(np.ones((4, 4), np.float32)) == ["heatmap-uniform"]


def test_one_hot_cell_in_the_breast_raises_no_warning() -> None:
    values = np.zeros((4, 4), np.float32)
    values[2, 1] = 7
    found = diagnose(heated(values), LEFT_HALF, FIELD)
    assert found == HeatmapDiagnostics(1.0, 0.5, 2.0, peak_in_breast=True, area_above_half=1 / 16, entropy=0.0)
    assert codes(values) == []


def test_heat_outside_the_breast_is_warned_about() -> None:
    values = np.zeros((4, 4), np.float32)
    values[0, 3], values[0, 0] = 3, 1
    found = diagnose(heated(values), LEFT_HALF, FIELD)
    assert found.heat_in_breast == pytest.approx(0.25)
    assert found.lift == pytest.approx(0.5)
    assert codes(values) == ["peak-outside-breast", "heat-outside-breast"]


def test_entropy_of_two_equal_cells_is_one_bit_of_four() -> None:
    values = np.zeros((4, 4), np.float32)
    values[0, 0] = values[3, 3] = 1
    assert diagnose(heated(values), LEFT_HALF, FIELD).entropy == pytest.approx(np.log(2) / np.log(16))


def test_a_blank_map_has_no_figures_and_its_reason_is_told() -> None:
    blank = Heatmap(np.zeros((4, 4), np.float32), Affine(), MapState.ALL_NEGATIVE, None)
    found = diagnose(blank, LEFT_HALF, FIELD)
    assert found == HeatmapDiagnostics(None, None, None, None, None, None)
    (caution,) = heatmap_cautions(blank, found)
    assert caution.code == "heatmap-blank"
    assert "speaks for this class" in caution.message


def test_a_mask_without_breast_gives_no_lift_instead_of_dividing_by_zero() -> None:
    assert diagnose(heated(np.ones((4, 4), np.float32)), np.zeros_like(LEFT_HALF), FIELD).lift is None
