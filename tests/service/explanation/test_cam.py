import numpy as np
import pytest

from service.explanation import METHODS, heatmap, signed_map
from service.geometry import IDENTITY, Affine
from service.records import Floats, MapState, Method

MAPS: Floats = np.array([[[1, 2], [0, 4]], [[3, 0], [0, 0]]], np.float32)
GRADIENTS: Floats = np.array([[[1, -1], [1, -1]], [[1, 0], [1, 0]]], np.float32)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # Weights: the mean of filter 0's gradients is 1, of filter 1's -0.5.
        (Method.GRAD_CAM, [[1 - 1, 0 - 2], [3, 0]]),
        # Filter 0: a is 1 / (2 + 1 * 4), which is 1/4 of their sum, so the weight is 1. Filter 1
        # has no positive gradient.
        (Method.GRAD_CAM_PLUS_PLUS, [[1, 0], [3, 0]]),
        # Gradient * map, cell by cell.
        (Method.HIRES_CAM, [[1 - 2, 0 - 4], [3, 0]]),
        # The same without filter 1, whose gradients are negative.
        (Method.LAYER_CAM, [[1, 0], [3, 0]]),
        # Weights: (1 + 3) / 4 = 1 and (-2 - 4) / 6 = -1.
        (Method.XGRAD_CAM, [[1 - 2, 0 - 4], [3, 0]]),
    ],
)
def test_methods_weight_maps_as_in_papers(method: Method, expected: list[list[float]]) -> None:
    np.testing.assert_allclose(signed_map(method, MAPS, GRADIENTS), expected, atol=1e-7)


def test_grad_cam_plus_plus_weighs_cells_by_gradient() -> None:
    # The sum of the map is 4, so a of the gradients 2 and 1 is 1/10 and 1/6. Divided by their sum
    # that is 3/8 and 5/8. The weight is 3/8 * 2 + 5/8 * 1.
    maps = np.array([[[1], [3]]], np.float32)
    gradients = np.array([[[2], [1]]], np.float32)

    signed = signed_map(Method.GRAD_CAM_PLUS_PLUS, maps, gradients)

    np.testing.assert_allclose(signed, [[11 / 8, 33 / 8]], rtol=1e-6)


@pytest.mark.parametrize("filters", [6, 50])
def test_eigen_cam_projects_on_first_eigenvector(filters: int) -> None:
    maps = np.random.default_rng(0).gamma(1, size=(5, 4, filters)).astype(np.float32)
    flat = maps.reshape(-1, filters).astype(np.float64)
    values, vectors = np.linalg.eigh(flat.T @ flat)

    signed = signed_map(Method.EIGEN_CAM, maps, np.zeros_like(maps))

    # For maps >= 0 the first eigenvector has one sign, and the map is positive.
    expected = np.abs(flat @ vectors[:, values.argmax()]).reshape(5, 4)
    np.testing.assert_allclose(signed, expected, rtol=1e-5)


def test_dark_filter_has_no_weight() -> None:
    with_dark = np.concatenate([MAPS, np.zeros((2, 2, 1), np.float32)], axis=-1)
    gradients = np.concatenate([GRADIENTS, np.ones((2, 2, 1), np.float32)], axis=-1)

    for method in METHODS:
        np.testing.assert_allclose(
            signed_map(method, with_dark, gradients),
            signed_map(method, MAPS, GRADIENTS),
            atol=1e-6,
            err_msg=method,
        )


def test_heatmap_keeps_raw_positive_values_and_peak() -> None:
    """The peak is given in cells and in source pixels."""
    to_source = Affine(scale_x=-10, shift_x=100, scale_y=20, shift_y=5)

    heat = heatmap(Method.GRAD_CAM, MAPS, GRADIENTS, to_source)

    np.testing.assert_allclose(heat.values, [[0, 0], [3, 0]])
    assert heat.state is MapState.OK
    assert heat.peak is not None
    assert (heat.peak.value, heat.peak.row, heat.peak.column) == (3, 1, 0)
    assert (heat.peak.x, heat.peak.y) == (100, 25)


@pytest.mark.parametrize(
    ("maps", "gradients", "state"),
    [
        (np.zeros_like(MAPS), GRADIENTS, MapState.DEAD_LAYER),
        (MAPS, np.zeros_like(GRADIENTS), MapState.ZERO_GRADIENT),
        (MAPS, -np.ones_like(GRADIENTS), MapState.ALL_NEGATIVE),
        (MAPS, np.full_like(GRADIENTS, np.nan), MapState.NOT_FINITE),
        (np.full_like(MAPS, np.inf), GRADIENTS, MapState.NOT_FINITE),
    ],
)
def test_blank_map_has_state_with_reason(maps: Floats, gradients: Floats, state: MapState) -> None:
    heat = heatmap(Method.GRAD_CAM, maps, gradients, IDENTITY)

    assert heat.state is state
    assert heat.peak is None
    assert not heat.values.any()


@pytest.mark.parametrize("method", METHODS)
def test_diverged_network_has_state_not_finite(method: Method) -> None:
    diverged = np.full_like(MAPS, np.inf)

    heat = heatmap(method, diverged, GRADIENTS, IDENTITY)

    assert heat.state is MapState.NOT_FINITE


def test_rounding_noise_does_not_become_heat() -> None:
    """The two filters of this saturated network cancel out except for float32 rounding."""
    maps = np.full((4, 4, 2), 1e6, np.float32)
    maps[0, 0, 0] += 0.0625
    gradients = np.stack([np.ones((4, 4)), -np.ones((4, 4))], axis=-1).astype(np.float32)

    heat = heatmap(Method.GRAD_CAM, maps, gradients, IDENTITY)

    assert heat.state is MapState.ALL_NEGATIVE


def test_faint_map_is_not_blank() -> None:
    faint = MAPS * np.float32(1e-20)

    heat = heatmap(Method.GRAD_CAM, faint, GRADIENTS, IDENTITY)

    assert heat.state is MapState.OK
