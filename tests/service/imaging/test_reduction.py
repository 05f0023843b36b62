"""The reduction against the decoder of JPEG 2000 at a reduced resolution."""

from io import BytesIO

import imagecodecs
import numpy as np
import pytest
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from service.imaging.reduction import Pyramid, from_reduced, reduce_resolution
from service.records import Pixels


def _decoded(values: Pixels, bits: int, halvings: int) -> Pixels:
    """The values at a reduced resolution, by OpenJPEG, which needs edges that it can divide."""
    coded = imagecodecs.jpeg2k_encode(
        values, reversible=True, bitspersample=bits, codecformat="J2K", resolutions=5
    )
    image = Jpeg2KImageFile(BytesIO(coded))
    image.reduce = halvings
    return np.asarray(image) >> np.uint16(16 - bits)


@pytest.mark.parametrize("shape", [(128, 96), (144, 80), (400, 512)])
@pytest.mark.parametrize("halvings", [1, 2, 3])
@pytest.mark.parametrize("bits", [12, 16])
def test_reduction_equals_the_wavelet_to_the_bit(
    shape: tuple[int, int], halvings: int, bits: int
) -> None:
    noise = np.random.default_rng(4).integers(0, 2**bits, shape).astype(np.uint16)

    reduced = reduce_resolution(noise, halvings, (0, 2**bits - 1))

    assert np.array_equal(reduced, _decoded(noise, bits, halvings))


def test_odd_edges_are_rounded_up() -> None:
    assert reduce_resolution(np.zeros((9, 6), np.uint16), 2, (0, 255)).shape == (3, 2)


def test_reduced_pixels_lie_on_pixels_of_the_original() -> None:
    x = np.arange(64, dtype=np.uint16)
    ramp = np.tile(100 + 8 * x, (16, 1))

    reduced = reduce_resolution(ramp, 2, (0, 4095))
    column, _row = from_reduced(2).apply(5, 0)

    assert reduced[1, 5] == ramp[0, int(column)]


def test_values_beyond_the_limits_are_clipped() -> None:
    edge = np.zeros((40, 40), np.uint16)
    edge[:, 20:] = 4095

    reduced = reduce_resolution(edge, 1, (0, 4095))

    assert reduced.min() == 0
    assert reduced.max() == 4095


@pytest.mark.parametrize("asked", [(3, 1, 2), (1, 2, 3)])
def test_order_of_resolutions_changes_nothing(asked: tuple[int, ...]) -> None:
    edges = np.where(np.arange(64) % 16 < 8, 0, 4095).astype(np.uint16)
    values = np.tile(edges, (48, 1))
    pyramid = Pyramid((0, 4095))

    for halvings in asked:
        alone = reduce_resolution(values, halvings, (0, 4095))
        assert np.array_equal(pyramid.reduced(values, halvings), alone)
