import numpy as np
import pytest

from service.geometry import Affine, flip, resize, shift


def test_then_applies_the_first_map_first() -> None:
    assert shift(1, 0).then(Affine(scale_x=2.0)).apply(3, 5) == (8, 5)
    assert Affine(scale_x=2.0).then(shift(1, 0)).apply(3, 5) == (7, 5)


def test_inverse_undoes_the_map() -> None:
    affine = Affine(-2.5, 7.0, 0.4, -3.0)
    assert affine.then(affine.inverse()).apply(12.5, -4.25) == pytest.approx((12.5, -4.25))


def test_resize_makes_edges_coincide_and_not_corner_centres() -> None:
    # three pixels over six: the first lies over pixels 0 and 1, so its centre is between them
    affine = resize(6, 4, 3, 4)
    assert affine.apply(0, 0) == (0.5, 0)
    assert affine.apply(-0.5, -0.5) == (-0.5, -0.5)
    assert affine.apply(2.5, 3.5) == (5.5, 3.5)


def test_flip_is_its_own_inverse_and_agrees_with_numpy() -> None:
    row = np.arange(7)
    x, _ = flip(7).apply(2, 0)
    assert row[::-1][int(x)] == row[2]
    assert flip(7).then(flip(7)).apply(2, 1) == (2, 1)


def test_matrix_is_the_same_map() -> None:
    affine = Affine(2.0, 3.0, -4.0, 5.0)
    assert tuple(np.array(affine.matrix()) @ (7, 11, 1)) == affine.apply(7, 11)
