import numpy as np
import pytest

from service.explanation import drawn_heat
from service.geometry import IDENTITY, Affine
from service.records import Box, Floats, Heatmap, MapState, Mask, Peak, ReceptiveField

# Centres at 6, 10 and 14 along both axes. A field reaches 3.5 pixels beyond its centre.
FIELD = ReceptiveField(height=7, width=7, stride_y=4, stride_x=4, offset_y=6, offset_x=6)
ROWS = 24
COLUMNS = 20
WHOLE = Box(0, 0, COLUMNS, ROWS)
BREAST = np.ones((ROWS, COLUMNS), np.bool_)
CELLS = np.array([[1, 2, 3], [4, 9, 6], [7, 8, 5]], np.float32)


def heatmap(values: Floats = CELLS, field: ReceptiveField = FIELD) -> Heatmap:
    row, column = (int(index) for index in np.unravel_index(values.argmax(), values.shape))
    to_source = field.to_input()
    peak = Peak(float(values.max()), row, column, *to_source.apply(column, row))
    return Heatmap(values, to_source, MapState.OK, peak)


def drawn(
    values: Floats = CELLS, field: ReceptiveField = FIELD, mask: Mask = BREAST, box: Box = WHOLE
) -> Floats:
    """Draw on the model's grid itself."""
    return drawn_heat(heatmap(values, field), field, mask, IDENTITY, box).values


def test_cell_centres_keep_their_values() -> None:
    np.testing.assert_array_equal(drawn()[6:15:4, 6:15:4], CELLS)


def test_heat_midway_is_mean_of_neighbours() -> None:
    values = drawn()

    assert values[6, 8] == 1.5
    assert values[12, 10] == 8.5
    assert values[8, 8] == 4.0


def test_heat_falls_to_end_of_outermost_field() -> None:
    # Two pixels beyond the centre are 2 / 3.5 of the way to the end.
    values = drawn()

    assert values[10, 4] == pytest.approx(4 * (1 - 2 / 3.5))
    assert values[16, 14] == pytest.approx(5 * (1 - 2 / 3.5))
    assert values[16, 16] == pytest.approx(5 * (1 - 2 / 3.5) ** 2)
    assert not values[:3].any()
    assert not values[18:].any()
    assert not values[:, :3].any()
    assert not values[:, 18:].any()


def test_field_larger_than_image_is_drawn_to_edge() -> None:
    # The far corner is 9 rows and 5 columns beyond the centre, in a field that reaches 500.
    wide = ReceptiveField(1000, 1000, 4, 4, 6, 6)

    values = drawn(field=wide)

    assert values[23, 19] == pytest.approx(5 * (1 - 9 / 500) * (1 - 5 / 500))


def test_heat_fades_over_half_a_stride_in_air() -> None:
    mask = BREAST.copy()
    mask[:, 12:] = False
    flat = np.ones((3, 3), np.float32)

    values = drawn(flat, mask=mask)

    assert values[10, 10:15].tolist() == [1, 1, 0.5, 0, 0]


def test_fade_covers_share_of_large_grid() -> None:
    # 1 % of 400 pixels is more than half a stride of 2.
    field = ReceptiveField(1, 1, 2, 2, 0, 0)
    mask = np.ones((400, 20), np.bool_)
    mask[:, 10:] = False
    flat = np.ones((200, 10), np.float32)

    values = drawn_heat(heatmap(flat, field), field, mask, IDENTITY, Box(0, 0, 20, 400)).values

    assert values[200, 9:15].tolist() == [1, 0.75, 0.5, 0.25, 0, 0]


@pytest.mark.parametrize("offset", [6.0, 6.5, 7.25, -1.5])
def test_peak_in_breast_is_hottest_pixel(offset: float) -> None:
    """Also where the centres lie between the pixels of the model's grid."""
    field = ReceptiveField(9, 9, 4, 4, offset, offset)
    values = np.random.default_rng(3).random((5, 4)).astype(np.float32)
    heat = heatmap(values, field)
    assert heat.peak is not None

    on_grid = drawn_heat(heat, field, BREAST, IDENTITY, WHOLE)

    hottest = np.unravel_index(on_grid.values.argmax(), on_grid.values.shape)
    row, column = (int(index) for index in hottest)
    assert on_grid.values.max() == np.float32(heat.peak.value)
    assert on_grid.to_source.apply(column, row) == (heat.peak.x, heat.peak.y)


def test_pixels_of_drawn_grid_lie_in_model_grid() -> None:
    half = ReceptiveField(1, 1, 2, 2, 0.5, 0.5)
    fraction = ReceptiveField(1, 1, 2.5, 2.5, 1, 1)
    values = np.ones((9, 8), np.float32)

    for field, step, count in [(half, 1.0, 19), (fraction, 1.25, 16)]:
        on_grid = drawn_heat(heatmap(values, field), field, BREAST, IDENTITY, WHOLE)

        assert on_grid.to_source.scale_x == step
        assert -0.5 < on_grid.to_source.shift_x < step
        assert on_grid.values.shape[1] == count


@pytest.mark.parametrize("flip", [1, -1])
def test_heat_covers_box_alone(flip: int) -> None:
    """`to_source` leads there, mirrored or not."""
    to_source = Affine(flip * 2.0, 0.5 if flip == 1 else 38.5, 2.0, 0.5)
    box = Box(8, 4, 30, 40)

    on_grid = drawn_heat(heatmap(), FIELD, BREAST, to_source, box)

    rows, columns = on_grid.values.shape
    corners = [
        on_grid.to_source.apply(-0.5, -0.5),
        on_grid.to_source.apply(columns - 0.5, rows - 0.5),
    ]
    assert sorted(x for x, _ in corners) == [7.5, 29.5]
    assert sorted(y for _, y in corners) == [3.5, 39.5]
    whole = drawn_heat(heatmap(), FIELD, BREAST, to_source, Box(0, 0, 40, 48)).values
    columns_kept = slice(4, 15) if flip == 1 else slice(5, 16)
    np.testing.assert_array_equal(on_grid.values, whole[2:20, columns_kept])


def test_box_narrower_than_pixel_keeps_nearest() -> None:
    # One source pixel at x = 9 .. 10, where a model pixel spans ten.
    on_grid = drawn_heat(heatmap(), FIELD, BREAST, Affine(10, 4.5, 10, 4.5), Box(9, 0, 10, 240))

    assert on_grid.values.shape == (ROWS, 1)
    assert on_grid.to_source.shift_x == 4.5


def test_map_of_pixels_is_drawn_as_it_is() -> None:
    pixels = ReceptiveField(1, 1, 1, 1, 0, 0)
    values = np.random.default_rng(1).random((ROWS, COLUMNS)).astype(np.float32)

    np.testing.assert_array_equal(drawn(values, pixels), values)


def test_no_heat_is_drawn_without_a_breast() -> None:
    pixels = ReceptiveField(1, 1, 1, 1, 0, 0)
    values = np.ones((ROWS, COLUMNS), np.float32)

    assert not drawn(values, pixels, mask=np.zeros_like(BREAST)).any()


def test_drawn_blank_map_has_no_heat() -> None:
    blank = Heatmap(np.zeros((3, 3), np.float32), IDENTITY, MapState.ALL_NEGATIVE, None)

    on_grid = drawn_heat(blank, FIELD, BREAST, IDENTITY, WHOLE)

    assert on_grid.full_value == 0
    assert not on_grid.values.any()


def test_full_value_is_peak_unless_given() -> None:
    own = drawn_heat(heatmap(), FIELD, BREAST, IDENTITY, WHOLE)
    other = drawn_heat(heatmap(), FIELD, BREAST, IDENTITY, WHOLE, 36.0)

    assert own.full_value == 9
    assert other.full_value == 36
    np.testing.assert_array_equal(own.values, other.values)
