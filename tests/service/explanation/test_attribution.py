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


def linear(images: Floats) -> np.ndarray:
    return np.asarray((images * WEIGHTS).sum(axis=(1, 2, 3), dtype=np.float64))


def slopes(images: Floats) -> Floats:
    return np.broadcast_to(WEIGHTS, images.shape)


def test_integrated_gradients_of_a_linear_margin_are_weight_times_difference() -> None:
    found = integrated_gradients(IMAGE, BASELINE, slopes)
    np.testing.assert_allclose(found, ((IMAGE - BASELINE) * WEIGHTS)[..., 0], rtol=1e-5, atol=1e-7)


def test_integrated_gradients_of_squares_add_up_to_the_difference_of_the_margins() -> None:
    # d/dx of x^2 is 2x: along the path it is linear, and the middle of each step is exact
    found = integrated_gradients(IMAGE, BASELINE, lambda images: 2 * images)
    np.testing.assert_allclose(found, (IMAGE**2 - BASELINE**2)[..., 0], rtol=1e-4, atol=1e-6)


def test_smooth_grad_is_the_magnitude_of_the_mean_slope() -> None:
    np.testing.assert_allclose(
        smooth_grad(IMAGE, EVERYWHERE, slopes), np.abs(WEIGHTS[..., 0]), rtol=1e-6
    )


def test_smooth_grad_averages_out_what_noise_turns_round() -> None:
    # |x| has slope +-1; around 0, in noise, the mean is near 0, and far from it 1
    image = np.where(np.arange(24)[None, :, None] < 12, 0, 5).astype(np.float32) * np.ones(
        (32, 1, 1), np.float32
    )
    found = smooth_grad(image, EVERYWHERE, np.sign)
    assert found[:, 12:].min() == 1
    assert found[:, :12].mean() < 0.3


def test_smooth_grad_leaves_the_air_as_it_is() -> None:
    seen: list[Floats] = []
    mask = EVERYWHERE.copy()
    mask[:, 12:] = False

    def record(images: Floats) -> Floats:
        seen.append(images)
        return images

    smooth_grad(IMAGE, mask, record)
    copies = np.concatenate(seen)
    np.testing.assert_array_equal(
        copies[:, :, 12:], np.broadcast_to(IMAGE[:, 12:], copies[:, :, 12:].shape)
    )
    assert (copies[:, :, :12] != IMAGE[:, :12]).all(axis=0).any()


def test_occlusion_is_what_the_margin_loses_window_by_window() -> None:
    losses, field = occlusion(IMAGE, BASELINE, EVERYWHERE, linear)
    # windows of 32 / 8 = 4 pixels, 2 apart
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


def test_the_baseline_has_no_detail_and_keeps_the_outline() -> None:
    mask = np.zeros((200, 150), np.bool_)
    mask[20:180, :100] = True
    image = np.where(mask, 0.5, 0).astype(np.float32)[..., None]
    np.testing.assert_allclose(
        blurred(image, mask), image, atol=1e-5
    )  # no grey leaks out into the air
    spotted = image.copy()
    spotted[95:105, 45:55] = 1
    found = blurred(spotted, mask)
    assert found.max() < 0.58
    assert found[..., 0][mask].mean() == pytest.approx(spotted[..., 0][mask].mean(), rel=0.01)
    assert not found[~mask].any()


def test_the_network_is_given_no_more_than_sixteen_images_at_a_time() -> None:
    sizes: list[int] = []

    def count(images: Floats) -> Floats:
        sizes.append(len(images))
        return images

    integrated_gradients(IMAGE, BASELINE, count)
    smooth_grad(IMAGE, EVERYWHERE, count)
    occlusion(IMAGE, BASELINE, EVERYWHERE, lambda images: linear(count(images)))
    assert max(sizes) == 16
    assert sum(sizes) == 128 + 16 + 1 + 15 * 11
