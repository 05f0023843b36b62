from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from service.geometry import Affine
from service.model import Localisation
from service.records import Box, Fitted, Method
from tests.support.bundles import untested_facts
from tests.support.parts import make_part
from training.data.cache import Part
from training.data.lesions import distance_in_cells, lesion_on_grid, read_mask
from training.data.table import Record
from training.errors import TableError
from training.evaluation.localisation import agreement, localise
from training.introspection.description import describe_model
from training.introspection.live_model import LiveModel

HALF_SIZE = Affine(2, 0.5, 2, 0.5)


def brightness_model() -> keras.Model:
    """Return a classifier whose cancer logit is the brightest 2 x 2 block of the image."""
    inputs = keras.Input((16, 12, 1))
    signal = keras.layers.Conv2D(1, 2, strides=2, kernel_initializer="ones", name="conv2d")(inputs)
    signal = keras.layers.GlobalMaxPooling2D()(signal)
    logits = keras.layers.Dense(2, name="logits")
    outputs = keras.layers.Activation("softmax")(logits(signal))

    logits.set_weights([np.array([[0, 1]], np.float32), np.zeros(2, np.float32)])
    return keras.Model(inputs, outputs)


def one_image(tmp_path: Path, spot: tuple[int, int], lesion_mask: Path | None) -> Part:
    """Return a part of one image with a bright 2 x 2 block at `spot`, as (row, column).

    The source is twice the size of the image.
    """
    image = np.full((16, 12, 1), 0.1, np.float32)
    image[spot[0] : spot[0] + 2, spot[1] : spot[1] + 2] = 1
    mask = image[..., 0] > 0

    fitted = Fitted(
        image, mask, HALF_SIZE, Box(0, 0, 24, 32), "left", breast=mask, breast_to_source=HALF_SIZE
    )
    record = Record("p", "i", "L", "CC", cancer=True, lesion_mask=lesion_mask)
    return make_part(tmp_path, [record], [fitted])


def write_mask(tmp_path: Path, top: int, left: int) -> Path:
    mask = np.zeros((32, 24), np.uint8)
    mask[top : top + 4, left : left + 4] = 255

    path = tmp_path / "lesion.png"
    cv2.imwrite(str(path), mask)
    return path


def localised(part: Part) -> Localisation:
    model = brightness_model()
    manifest = describe_model(model, untested_facts(height=16, width=12))

    return localise(LiveModel(model, manifest), part, [0], [Method.GRAD_CAM])[Method.GRAD_CAM]


@pytest.mark.parametrize(("top", "hits"), [(8, 1), (4, 1), (2, 0), (12, 1), (16, 0)])
def test_peak_within_half_a_cell_is_a_hit(tmp_path: Path, top: int, hits: int) -> None:
    # The spot covers source rows 8 to 11: its peak is at row 9.5. Half a cell is 2 source pixels.
    figures = localised(one_image(tmp_path, (4, 6), write_mask(tmp_path, top, 12)))

    assert (figures.images, figures.pointing) == (1, hits)


def test_lesion_elsewhere_is_a_miss(tmp_path: Path) -> None:
    figures = localised(one_image(tmp_path, (4, 6), write_mask(tmp_path, 24, 2)))

    assert (figures.pointing, figures.rank) == (0, 0)


def test_image_without_lesion_mask_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no lesion mask for p/i"):
        localised(one_image(tmp_path, (4, 6), None))


def test_agreement_equals_hand_worked_case() -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[0, :3] = 4, 3, 1
    lesion = np.zeros((4, 4), bool)
    lesion[:2, 1] = True

    mass, rank, iou = agreement(heat, lesion)

    assert mass == pytest.approx(3 / 8)
    # One of the two hottest pixels is in the lesion.
    assert rank == 0.5
    # Otsu separates 4 and 3 from the rest: one of three pixels is common.
    assert iou == pytest.approx(1 / 3)

    # A blank map.
    assert agreement(np.zeros((4, 4), np.float32), lesion) == (0, 0, 0)


def test_lesion_is_mapped_to_the_model_s_grid() -> None:
    """Flip and scale are undone, and a lesion between the grid's pixels is kept."""
    lesion = np.zeros((32, 24), bool)
    lesion[8:12, 4:8] = True
    flipped = Affine(-2, 22.5, 2, 0.5)  # grid column j is at source column 22.5 - 2 j

    on_grid = lesion_on_grid(lesion, flipped, (16, 12))

    assert np.argwhere(on_grid).tolist() == [[4, 8], [4, 9], [5, 8], [5, 9]]

    speck = np.zeros((32, 24), bool)
    speck[9, 5] = True

    on_coarse_grid = lesion_on_grid(speck, Affine(8, 3.5, 8, 3.5), (4, 3))

    assert on_coarse_grid.sum() == 1


def test_distance_is_in_cells_along_longer_axis() -> None:
    mask = np.zeros((100, 100), bool)
    mask[50:60, 50:60] = True
    cells = Affine(scale_x=-8, scale_y=4)

    assert distance_in_cells(mask, 55, 55, cells) == 0
    assert distance_in_cells(mask, 63.5, 55, cells) == 0.5
    assert distance_in_cells(mask, 63.5, 44.5, cells) == 1.25


def test_missing_or_empty_mask_is_named(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((4, 4), np.uint8))

    for name in ("black.png", "absent.png"):
        with pytest.raises(TableError, match=name):
            read_mask(tmp_path / name)
