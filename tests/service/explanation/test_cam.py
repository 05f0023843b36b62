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
        # weights: mean of filter 0's gradients = 1, of filter 1's = -0.5
        (Method.GRAD_CAM, [[1 - 1, 0 - 2], [3, 0]]),
        # a of filter 0: 1 / (2 + 1 * 4), over their sum 1/4 each, so weight 1; filter 1 has no positive gradient
        (Method.GRAD_CAM_PLUS_PLUS, [[1, 0], [3, 0]]),
        # gradient * map, cell by cell
        (Method.HIRES_CAM, [[1 - 2, 0 - 4], [3, 0]]),
        # the same, without filter 1, whose gradients are negative
        (Method.LAYER_CAM, [[1, 0], [3, 0]]),
        # weights: (1 + 3) / 4 = 1 and (-2 - 4) / 6 = -1
        (Method.XGRAD_CAM, [[1 - 2, 0 - 4], [3, 0]]),
    ],
)
def test_each_method_is_its_paper_s_sum_of_weighted_maps(
    method: Method, expected: list[list[float]]
) -> None:
    np.testing.assert_allclose(signed_map(method, MAPS, GRADIENTS), expected, atol=1e-7)


def test_grad_cam_plus_plus_weighs_a_cell_by_its_gradient() -> None:
    # a of gradients 2 and 1 over a map of sum 4: 1/10 and 1/6, over their sum 3/8 and 5/8; weight 3/8 * 2 + 5/8 * 1
    maps = np.array([[[1], [3]]], np.float32)
    gradients = np.array([[[2], [1]]], np.float32)
    np.testing.assert_allclose(
        signed_map(Method.GRAD_CAM_PLUS_PLUS, maps, gradients), [[11 / 8, 33 / 8]], rtol=1e-6
    )


def test_eigen_cam_is_the_projection_on_the_first_eigenvector_and_mostly_positive() -> None:
    maps = np.random.default_rng(0).gamma(1, size=(5, 4, 6)).astype(np.float32)
    flat = maps.reshape(-1, 6).astype(np.float64)
    values, vectors = np.linalg.eigh(flat.T @ flat)
    expected = np.abs(flat @ vectors[:, values.argmax()]).reshape(
        5, 4
    )  # of maps >= 0 the first has one sign
    np.testing.assert_allclose(
        signed_map(Method.EIGEN_CAM, maps, np.zeros_like(maps)), expected, rtol=1e-5
    )


def test_a_dark_filter_weighs_nothing_in_any_method() -> None:
    dark = np.concatenate([MAPS, np.zeros((2, 2, 1), np.float32)], axis=-1)
    gradients = np.concatenate([GRADIENTS, np.ones((2, 2, 1), np.float32)], axis=-1)
    for method in METHODS:
        np.testing.assert_allclose(
            signed_map(method, dark, gradients),
            signed_map(method, MAPS, GRADIENTS),
            atol=1e-6,
            err_msg=method,
        )


def test_heatmap_keeps_what_is_positive_unscaled_and_names_its_peak_in_source_pixels() -> None:
    found = heatmap(
        Method.GRAD_CAM, MAPS, GRADIENTS, Affine(scale_x=-10, shift_x=100, scale_y=20, shift_y=5)
    )
    np.testing.assert_allclose(found.values, [[0, 0], [3, 0]])
    assert found.state is MapState.OK
    assert found.peak is not None
    assert (found.peak.value, found.peak.row, found.peak.column) == (3, 1, 0)
    assert (found.peak.x, found.peak.y) == (100, 25)


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
def test_a_map_that_says_nothing_is_blank_and_says_why(
    maps: Floats, gradients: Floats, state: MapState
) -> None:
    found = heatmap(Method.GRAD_CAM, maps, gradients, IDENTITY)
    assert found.state is state
    assert found.peak is None
    assert not found.values.any()


@pytest.mark.parametrize("method", METHODS)
def test_a_network_that_has_diverged_is_a_state_whatever_the_method(method: Method) -> None:
    assert (
        heatmap(method, np.full_like(MAPS, np.inf), GRADIENTS, IDENTITY).state
        is MapState.NOT_FINITE
    )


def test_rounding_noise_of_a_saturated_network_is_not_stretched_into_a_map() -> None:
    # two filters that cancel but for float32 rounding
    maps = np.full((4, 4, 2), 1e6, np.float32)
    maps[0, 0, 0] += 0.0625
    gradients = np.stack([np.ones((4, 4)), -np.ones((4, 4))], axis=-1).astype(np.float32)
    assert heatmap(Method.GRAD_CAM, maps, gradients, IDENTITY).state is MapState.ALL_NEGATIVE


def test_a_faint_but_real_map_is_not_called_blank() -> None:
    assert (
        heatmap(Method.GRAD_CAM, MAPS * np.float32(1e-20), GRADIENTS, IDENTITY).state is MapState.OK
    )
