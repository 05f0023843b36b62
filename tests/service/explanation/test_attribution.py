from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from service.explanation import blurred, integrated_gradients, occlusion, smooth_grad
from service.records import Floats, Mask

RNG = np.random.default_rng(4)
SHAPE = (32, 24)
WEIGHTS: Floats = RNG.normal(size=(*SHAPE, 1)).astype(np.float32)
IMAGE: Floats = RNG.random((*SHAPE, 1), np.float32)
BASELINE: Floats = RNG.random((*SHAPE, 1), np.float32)
EVERYWHERE: Mask = np.ones(SHAPE, np.bool_)


def linear(images: Iterable[Floats]) -> np.ndarray:
    return np.array([(image * WEIGHTS).sum(dtype=np.float64) for image in images])


def slopes(images: Iterable[Floats]) -> Iterator[Floats]:
    return (WEIGHTS for _ in images)


def test_integrated_gradients_explain_linear_margin_exactly() -> None:
    """For a linear margin they are the weight times the difference from the baseline."""
    attributions = integrated_gradients(IMAGE, BASELINE, slopes)

    expected = ((IMAGE - BASELINE) * WEIGHTS)[..., 0]
    np.testing.assert_allclose(attributions, expected, rtol=1e-5, atol=1e-7)


def test_integrated_gradients_explain_squares_exactly() -> None:
    """They add up to the difference of the margins.

    The derivative 2x of x^2 is linear along the path, so the middle of each step is exact.
    """
    attributions = integrated_gradients(
        IMAGE, BASELINE, lambda images: (2 * image for image in images)
    )

    expected = (IMAGE**2 - BASELINE**2)[..., 0]
    np.testing.assert_allclose(attributions, expected, rtol=1e-4, atol=1e-6)


def test_smooth_grad_is_magnitude_of_mean_slope() -> None:
    attributions = smooth_grad(IMAGE, EVERYWHERE, slopes)

    np.testing.assert_allclose(attributions, np.abs(WEIGHTS[..., 0]), rtol=1e-6)


def test_smooth_grad_averages_out_noise() -> None:
    """The slope of |x| is +-1: in noise around 0 the mean is near 0, and far from 0 it is 1."""
    row = np.where(np.arange(24)[None, :, None] < 12, 0, 5).astype(np.float32)
    image = row * np.ones((32, 1, 1), np.float32)

    attributions = smooth_grad(image, EVERYWHERE, lambda images: map(np.sign, images))

    assert attributions[:, 12:].min() == 1
    assert attributions[:, :12].mean() < 0.3


def test_smooth_grad_adds_no_noise_to_air() -> None:
    copies: list[Floats] = []
    mask = EVERYWHERE.copy()
    mask[:, 12:] = False

    def record(images: Iterable[Floats]) -> list[Floats]:
        copies.extend(images)
        return copies

    smooth_grad(IMAGE, mask, record)

    noisy = np.stack(copies)
    np.testing.assert_array_equal(
        noisy[:, :, 12:], np.broadcast_to(IMAGE[:, 12:], noisy[:, :, 12:].shape)
    )
    assert (noisy[:, :, :12] != IMAGE[:, :12]).all(axis=0).any()


def test_occlusion_is_margin_lost_per_window() -> None:
    losses, field = occlusion(IMAGE, BASELINE, EVERYWHERE, linear)

    # Windows of 32 / 8 = 4 pixels, 2 apart.
    assert losses.shape == (15, 11)
    assert (field.height, field.stride_y, field.offset_y) == (4, 2, 1.5)

    lost = ((IMAGE - BASELINE) * WEIGHTS)[..., 0]
    expected = [
        [lost[2 * i : 2 * i + 4, 2 * j : 2 * j + 4].sum() for j in range(11)] for i in range(15)
    ]
    np.testing.assert_allclose(losses, expected, rtol=1e-3, atol=1e-4)


def test_windows_without_breast_are_not_occluded() -> None:
    mask = np.zeros(SHAPE, np.bool_)
    mask[:8, :8] = True

    losses, _ = occlusion(IMAGE, BASELINE, mask, linear)

    assert losses[:4, :4].all()
    assert not losses[4:].any()
    assert not losses[:, 4:].any()


def test_baseline_has_no_detail_and_keeps_outline() -> None:
    mask = np.zeros((200, 150), np.bool_)
    mask[20:180, :100] = True
    plain = np.where(mask, 0.5, 0).astype(np.float32)[..., None]
    spotted = plain.copy()
    spotted[95:105, 45:55] = 1

    of_plain = blurred(plain, mask)
    of_spotted = blurred(spotted, mask)

    # No grey leaks into the air.
    np.testing.assert_allclose(of_plain, plain, atol=1e-5)
    assert of_spotted.max() < 0.58
    mean = of_spotted[..., 0][mask].mean()
    assert mean == pytest.approx(spotted[..., 0][mask].mean(), rel=0.01)
    assert not of_spotted[~mask].any()
