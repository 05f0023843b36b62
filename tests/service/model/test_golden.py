from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.errors import BundleDamaged
from service.model import GOLDEN_FILE, GoldenCase

RNG = np.random.default_rng(0)
CASE = GoldenCase(
    pixels=RNG.integers(0, 65536, (12, 10), np.uint16),
    image=RNG.random((8, 6, 1), np.float32),
    probabilities=np.array([0.25, 0.75], np.float32),
    layer="conv2d",
    class_index=1,
    heatmap=50 * RNG.random((4, 3), np.float32),
)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    (tmp_path / GOLDEN_FILE).parent.mkdir()
    CASE.save(tmp_path)
    return tmp_path


def test_case_survives_its_file(stored: Path) -> None:
    loaded = GoldenCase.load(stored)

    assert (loaded.layer, loaded.class_index) == ("conv2d", 1)
    for name in ("pixels", "image", "probabilities", "heatmap"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(CASE, name), strict=True)


def test_same_case_gives_same_bytes(stored: Path) -> None:
    first = (stored / GOLDEN_FILE).read_bytes()

    CASE.save(stored)

    assert (stored / GOLDEN_FILE).read_bytes() == first


@pytest.mark.parametrize(
    "contents", [b"", b"not a golden case", None], ids=["empty", "foreign", "absent"]
)
def test_file_that_is_not_a_case_is_damage(stored: Path, contents: bytes | None) -> None:
    (stored / GOLDEN_FILE).unlink()
    if contents is not None:
        (stored / GOLDEN_FILE).write_bytes(contents)

    with pytest.raises(BundleDamaged, match="golden case"):
        GoldenCase.load(stored)


def test_truncated_case_is_damage(stored: Path) -> None:
    whole = (stored / GOLDEN_FILE).read_bytes()

    for length in range(0, len(whole), 97):
        (stored / GOLDEN_FILE).write_bytes(whole[:length])
        with pytest.raises(BundleDamaged):
            GoldenCase.load(stored)


def test_replay_within_tolerance_agrees() -> None:
    assert CASE.compare(CASE.image + 5e-6, CASE.probabilities + 5e-5, CASE.heatmap * 1.0005) == []


def test_each_result_beyond_its_tolerance_is_named() -> None:
    image = CASE.image.copy()
    probabilities = CASE.probabilities.copy()
    heatmap = CASE.heatmap.copy()
    image[3, 2] += 1e-3
    probabilities += np.array([2e-4, -2e-4], np.float32)
    heatmap[0, 0] += 0.002 * heatmap.max()

    of_image, of_probabilities, of_heatmap = CASE.compare(image, probabilities, heatmap)

    assert "fitted image differs by up to 0.001" in of_image
    assert "probabilities differs by up to 0.0002" in of_probabilities
    assert "heatmap of layer 'conv2d' differs" in of_heatmap


def test_nan_and_other_shape_never_agree() -> None:
    other = replace(CASE, image=np.full_like(CASE.image, np.nan), heatmap=CASE.heatmap[1:])

    of_image, of_heatmap = CASE.compare(other.image, other.probabilities, other.heatmap)

    assert "differs by up to nan" in of_image
    assert "has the shape (3, 3) instead of (4, 3)" in of_heatmap
