from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from service.geometry import Affine
from service.records import Box, Fitted
from tests.support.parts import make_part
from training.data.table import Record
from training.watching.watched_examples import choose, choose_examples

VIEWS = ("CC", "MLO")


def records(patients: int, *, cancer: bool, first: int = 0) -> list[Record]:
    """Return both views of a breast of each patient."""
    return [
        Record(f"p{first + patient}", f"{first + patient}{view}", "L", view, cancer=cancer)
        for patient in range(patients)
        for view in VIEWS
    ]


def test_half_has_cancer_and_views_alternate() -> None:
    part = [*records(9, cancer=False), *records(9, cancer=True, first=100)]

    chosen = [part[index] for index in choose(part, 8)]

    assert [record.cancer for record in chosen] == [True] * 4 + [False] * 4
    assert [record.view for record in chosen] == ["CC", "MLO"] * 4
    assert len({record.patient_id for record in chosen}) == 8


def test_order_of_table_changes_no_example() -> None:
    part = [*records(9, cancer=False), *records(9, cancer=True, first=100)]

    chosen = [part[index].key for index in choose(part, 6)]
    turned = part[::-1]

    assert [turned[index].key for index in choose(turned, 6)] == chosen


def test_known_lesions_are_preferred() -> None:
    part = records(20, cancer=True)
    part[14] = replace(part[14], lesion_mask=Path("a.png"))
    part[31] = replace(part[31], lesion_mask=Path("b.png"))

    assert set(choose(part, 4)) == {14, 31}


def test_few_patients_give_several_images() -> None:
    part = records(1, cancer=True)

    assert sorted(choose(part, 8)) == [0, 1]


def test_rare_views_come_last() -> None:
    part = [*records(2, cancer=True), Record("q", "1", "L", "LM", cancer=True)]

    assert choose(part, 10)[-1] == 4


def test_example_has_its_lesion_on_the_grid(tmp_path: Path) -> None:
    """The source is twice the size of the grid."""
    lesion = np.zeros((32, 24), np.uint8)
    lesion[8:12, 4:8] = 255
    cv2.imwrite(str(tmp_path / "lesion.png"), lesion)
    image = np.full((16, 12, 1), 0.5, np.float32)
    mask = np.ones((16, 12), np.bool_)
    half = Affine(2, 0.5, 2, 0.5)
    fitted = Fitted(
        image, mask, half, Box(0, 0, 24, 32), "left", breast=mask, breast_to_source=half
    )
    shards = tmp_path / "shards"
    shards.mkdir()
    part = make_part(
        shards,
        [
            Record("p", "1", "L", "CC", cancer=True, lesion_mask=tmp_path / "lesion.png"),
            Record("q", "2", "L", "CC", cancer=False),
        ],
        [fitted, fitted],
    )

    marked, plain = choose_examples(part, 2)

    assert marked.lesion is not None
    assert np.argwhere(marked.lesion).tolist() == [[4, 2], [4, 3], [5, 2], [5, 3]]
    assert plain.lesion is None
    assert (marked.number, plain.number) == (1, 2)
