from pathlib import Path

import pytest

from training.data.split import Split
from training.data.split_file import format_split, read_split
from training.data.table import Record
from training.errors import RunError


def record(patient: str) -> Record:
    return Record(patient, "L_CC", "L", "CC", cancer=False)


SPLIT = Split(train=(record("p1"), record("p2")), validation=(record("p3"),), test=(record("p4"),))


def test_split_is_read_back_as_written(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    path.write_text(format_split(SPLIT))

    # A table that has grown does not move anybody.
    records = [record(f"p{index}") for index in (9, 4, 3, 2, 1)]
    assert read_split(path, records) == SPLIT


def test_file_lists_the_part_of_each_image() -> None:
    assert format_split(SPLIT).splitlines()[:2] == ["part,patient_id,image_id", "train,p1,L_CC"]


def test_image_that_left_the_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    path.write_text(format_split(SPLIT))

    with pytest.raises(RunError, match=r"names the image p4/L_CC, which the table no longer has"):
        read_split(path, [record("p1"), record("p2"), record("p3")])
