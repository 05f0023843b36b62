import numpy as np
import pytest

from service.explanation import grad_cam, heatmap
from service.geometry import Affine
from service.results import Floats, MapState

MAPS: Floats = np.array([[[1, 2], [0, 4]], [[3, 0], [0, 0]]], np.float32)
GRADIENTS: Floats = np.array([[[1, -1], [1, -1]], [[1, 0], [1, 0]]], np.float32)


def test_grad_cam_is_the_sum_of_maps_weighted_by_mean_gradients() -> None:
    # weights: mean of filter 0's gradients = 1, of filter 1's = -0.5
    np.testing.assert_allclose(grad_cam(MAPS, GRADIENTS), [[1 - 1, 0 - 2], [3, 0]])


def test_heatmap_keeps_what_is_positive_unscaled_and_names_its_peak_in_source_pixels() -> None:
    found = heatmap(MAPS, GRADIENTS, Affine(scale_x=-10, shift_x=100, scale_y=20, shift_y=5))
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
def test_a_map_that_says_nothing_is_blank_and_says_why(maps: Floats, gradients: Floats, state: MapState) -> None:
    found = heatmap(maps, gradients, Affine())
    assert found.state is state
    assert found.peak is None
    assert not found.values.any()


def test_rounding_noise_of_a_saturated_network_is_not_stretched_into_a_map() -> None:
    # two filters that cancel but for float32 rounding
    maps = np.full((4, 4, 2), 1e6, np.float32)
    maps[0, 0, 0] += 0.0625
    gradients = np.stack([np.ones((4, 4)), -np.ones((4, 4))], axis=-1).astype(np.float32)
    assert heatmap(maps, gradients, Affine()).state is MapState.ALL_NEGATIVE


def test_a_faint_but_real_map_is_not_called_blank() -> None:
    assert heatmap(MAPS * np.float32(1e-20), GRADIENTS, Affine()).state is MapState.OK
