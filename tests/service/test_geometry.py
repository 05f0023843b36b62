import numpy as np
import pytest

from service.geometry import Affine, canvas, flip, max_halvings, resize, shift


def test_then_applies_the_first_map_first() -> None:
    assert shift(1, 0).then(Affine(scale_x=2.0)).apply(3, 5) == (8, 5)
    assert Affine(scale_x=2.0).then(shift(1, 0)).apply(3, 5) == (7, 5)


def test_inverse_undoes_map() -> None:
    affine = Affine(-2.5, 7.0, 0.4, -3.0)

    assert affine.then(affine.inverse()).apply(12.5, -4.25) == pytest.approx((12.5, -4.25))


def test_resize_makes_edges_coincide() -> None:
    """The centres of corner pixels do not coincide."""
    # Three pixels over six: the first covers pixels 0 and 1, so its centre is between them.
    affine = resize(6, 4, 3, 4)

    assert affine.apply(0, 0) == (0.5, 0)
    assert affine.apply(-0.5, -0.5) == (-0.5, -0.5)
    assert affine.apply(2.5, 3.5) == (5.5, 3.5)


def test_flip_is_its_own_inverse() -> None:
    """It agrees with reversed indices in NumPy."""
    row = np.arange(7)

    x, _ = flip(7).apply(2, 0)

    assert row[::-1][int(x)] == row[2]
    assert flip(7).then(flip(7)).apply(2, 1) == (2, 1)


def test_matrix_is_same_map() -> None:
    affine = Affine(2.0, 3.0, -4.0, 5.0)

    assert tuple(np.array(affine.matrix()) @ (7, 11, 1)) == affine.apply(7, 11)


@pytest.mark.parametrize(
    ("long_edge", "expected"),
    [(np.inf, (300, 200)), (150, (150, 100)), (5000, (300, 200)), (16, (16, 11))],
)
def test_canvas_keeps_aspect_and_never_exceeds_source(
    long_edge: float, expected: tuple[int, int]
) -> None:
    assert canvas(300, 200, long_edge) == expected


@pytest.mark.parametrize(
    ("rows", "columns", "times"),
    [(3328, 2560, 2), (2048, 1536, 2), (2047, 1536, 1), (512, 384, 0), (100, 5000, 0)],
)
def test_grid_is_halved_down_to_minimum_size(rows: int, columns: int, times: int) -> None:
    assert max_halvings(rows, columns, (512, 384)) == times
