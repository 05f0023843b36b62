import numpy as np
import pytest

from service.records import Floats
from training.data.augment import Hole, Variation, draw_variation, vary
from training.training_config import Augmentation

NONE = Augmentation(flip=False, shift=0, zoom=0, gain=0, gamma=0)
LIGHT = Augmentation(flip=True, shift=0.05, zoom=0.1, gain=0.1, gamma=0.1)
CROPPED = LIGHT.model_copy(update={"crop": 0.05})

GOLDEN = [[0.263280, 0.460098], [0.655735, 0.0866], [0.229855, 0.404455], [0.234912, 0.437598]]
"""Two pixels of four images with the augmentation CROPPED and the seed 7."""


def varied(image: Floats, variation: Variation) -> Floats:
    """Return the variation of an image [height, width]."""
    out = np.empty_like(image)
    vary(image, variation, out)
    return out


def augmented(image: Floats, augmentation: Augmentation, rng: np.random.Generator) -> Floats:
    """Return a random variation of an image [height, width]."""
    return varied(image, draw_variation(augmentation, rng))


def centre(image: Floats) -> tuple[float, float]:
    """Return the row and the column of the centre of brightness."""
    rows, columns = np.indices(image.shape)
    return (image * rows).sum() / image.sum(), (image * columns).sum() / image.sum()


def test_zero_augmentation_keeps_the_image() -> None:
    image = np.random.default_rng(0).random((16, 12), dtype=np.float32)

    kept = augmented(image, NONE, np.random.default_rng(0))

    assert kept == pytest.approx(image, abs=1e-6)


def test_half_of_the_draws_are_flipped() -> None:
    image = np.random.default_rng(0).random((16, 12), dtype=np.float32)
    flip = Augmentation(flip=True, shift=0, zoom=0, gain=0, gamma=0)
    rng = np.random.default_rng(0)

    flipped = [np.allclose(augmented(image, flip, rng), image[::-1], atol=1e-6) for _ in range(200)]

    assert 80 < sum(flipped) < 120


def test_augmentation_keeps_range_and_black() -> None:
    image = np.zeros((32, 24), dtype=np.float32)
    image[8:24, :10] = 1
    every_key = LIGHT.model_copy(update={"contrast": 0.9, "cutout": 0.5})
    rng = np.random.default_rng(1)

    for augmentation in [LIGHT, every_key] * 50:
        image_varied = augmented(image, augmentation, rng)

        assert image_varied.dtype == np.float32
        assert 0 <= image_varied.min() <= image_varied.max() <= 1
        assert not image_varied[:, 16:].any()


def test_shift_is_at_most_its_share() -> None:
    image = np.zeros((40, 40), dtype=np.float32)
    image[20, 20] = 1
    rng = np.random.default_rng(2)
    shift = Augmentation(flip=False, shift=0.1, zoom=0, gain=0, gamma=0)

    moves = [np.subtract(centre(augmented(image, shift, rng)), 20) for _ in range(100)]

    assert 3 < np.abs(moves).max() <= 4.05


def test_crop_moves_the_edges_of_the_box() -> None:
    image = np.zeros((60, 40), dtype=np.float32)
    image[10, 0] = image[49, 0] = 1
    crop = Augmentation(flip=False, shift=0, zoom=0, crop=0.1, gain=0, gamma=0)
    rng = np.random.default_rng(3)

    tops, heights = [], []
    for _ in range(200):
        profile = augmented(image, crop, rng)[:, 0]
        upper, lower = (
            np.average(half, weights=profile[half]) for half in np.split(np.arange(60), 2)
        )
        tops.append(upper)
        heights.append(lower - upper)

    # The marks are 39 rows apart. The box is 0.8 to 1.2 times as high.
    assert 39 / 1.2 - 0.5 <= min(heights) < 36
    assert 42 < max(heights) <= 39 / 0.8 + 0.5
    assert np.std(tops) > 1


def test_seeds_keep_their_pixels() -> None:
    """The values are those of the version that had none of rotate, contrast and cutout."""
    rows, columns = np.mgrid[:16, :12]
    image = ((rows + 1) * (12 - columns) / 200).astype(np.float32)
    rng = np.random.default_rng(7)

    pixels = [augmented(image, CROPPED, rng)[[3, 12], [2, 6]].tolist() for _ in range(4)]

    assert np.array(pixels) == pytest.approx(np.array(GOLDEN), abs=2e-6)


@pytest.mark.parametrize("key", ["rotate", "contrast", "cutout"])
def test_new_keys_draw_after_the_others(key: str) -> None:
    more = CROPPED.model_copy(update={key: 0.5})

    before = draw_variation(CROPPED, np.random.default_rng(4))
    after = draw_variation(more, np.random.default_rng(4))

    names = ("flipped", "zoom", "shift_x", "shift_y", "gain", "gamma")
    assert [getattr(after, name) for name in names] == [getattr(before, name) for name in names]


def test_positive_angle_turns_the_nipple_up() -> None:
    image = np.zeros((41, 60), dtype=np.float32)
    image[20, 30] = 1

    turned = varied(image, Variation(angle=30))

    # 30 pixels from the middle of the chest wall (20, 0), at 30 degrees: up by half of them.
    assert centre(turned) == pytest.approx((20 - 15, 30 * 3**0.5 / 2), abs=0.1)


def test_turning_leaves_the_middle_of_the_wall() -> None:
    image = np.zeros((41, 60), dtype=np.float32)
    image[20, 0] = 1

    turned = varied(image, Variation(angle=40, zoom=1.2))

    assert turned.argmax() == 20 * 60
    assert turned[20, 0] == pytest.approx(1, abs=1e-5)


def test_angles_reach_both_ends_of_their_range() -> None:
    rotate = NONE.model_copy(update={"rotate": 20.0})
    rng = np.random.default_rng(5)

    angles = [draw_variation(rotate, rng).angle for _ in range(200)]

    assert -20 <= min(angles) < -18
    assert 18 < max(angles) <= 20


def test_tone_follows_its_formula() -> None:
    levels = np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64)

    toned = varied(levels, Variation(gain=1.1, gamma=0.9))

    expected = np.minimum(1.1 * levels.astype(np.float64) ** 0.9, 1)
    assert toned == pytest.approx(expected, abs=5e-7)
    assert toned[0, 0] == 0


def test_contrast_keeps_black_middle_and_white() -> None:
    image = np.array([[0, 0.25, 0.5, 0.75, 1]], dtype=np.float32)

    more = varied(image, Variation(contrast=1.4))
    less = varied(image, Variation(contrast=0.6))

    # 0.25 moves by 2 * 0.4 * 0.25 * 0.75 * (2 * 0.25 - 1) = -0.075.
    assert more == pytest.approx(np.array([[0, 0.175, 0.5, 0.825, 1]]), abs=1e-6)
    assert less == pytest.approx(np.array([[0, 0.325, 0.5, 0.675, 1]]), abs=1e-6)


def test_contrast_is_the_slope_at_the_middle() -> None:
    image = np.array([[0.499, 0.501]], dtype=np.float32)

    steeper = varied(image, Variation(contrast=1.3))

    assert (steeper[0, 1] - steeper[0, 0]) / 0.002 == pytest.approx(1.3, abs=0.001)


def test_hole_is_black_and_nothing_else() -> None:
    image = np.full((20, 10), 0.5, dtype=np.float32)

    cut = varied(image, Variation(hole=Hole(top=0.1, left=0.5, height=0.25, width=0.3)))

    expected = image.copy()
    expected[2:7, 5:8] = 0
    assert cut == pytest.approx(expected, abs=1e-6)


def test_half_of_the_draws_have_a_hole() -> None:
    cutout = NONE.model_copy(update={"cutout": 0.3})
    rng = np.random.default_rng(6)

    holes = [hole for _ in range(400) if (hole := draw_variation(cutout, rng).hole) is not None]

    assert 160 < len(holes) < 240
    assert 0.27 < max(hole.height for hole in holes) <= 0.3
    assert 0.27 < max(hole.width for hole in holes) <= 0.3
    assert max(hole.top + hole.height for hole in holes) <= 1
    assert max(hole.left + hole.width for hole in holes) <= 1
