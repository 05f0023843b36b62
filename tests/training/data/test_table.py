from pathlib import Path

import pytest

from training.config import Data, RowFilter
from training.data.table import Record, read_table, require_images, select
from training.errors import TableError

TABLE = """\
site_id,patient_id,image_id,laterality,view,age,cancer,biopsy,\
invasive,BIRADS,implant,density,machine_id,difficult_negative_case
2,10006,462822612,L,CC,61.0,0,0,0,,0,,29,False
2,10006,1459541791,L,MLO,61.0,0,0,0,,0,,29,False
1,10049,2112838101,R,CC,53.0,1,1,1,,0,B,49,False
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "train.csv"
    path.write_text(TABLE)
    return path


def test_table_of_the_challenge_is_read(table: Path) -> None:
    first, _, last = read_table(table)

    assert first == Record("10006", "462822612", "L", "CC", cancer=False)
    assert last == Record("10049", "2112838101", "R", "CC", cancer=True)


def test_byte_order_mark_and_crlf_are_read(table: Path) -> None:
    """Spreadsheets export both."""
    records = read_table(table)

    table.write_bytes(b"\xef\xbb\xbf" + TABLE.replace("\n", "\r\n").encode())

    assert read_table(table) == records


def test_missing_columns_are_named(table: Path) -> None:
    table.write_text(TABLE.replace("laterality", "side").replace("cancer", "malignant"))

    with pytest.raises(TableError, match="laterality, cancer"):
        read_table(table)


def test_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"absent\.csv"):
        read_table(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("good", "bad", "named"),
    [
        ("462822612,L", "462822612,left", "line 2: laterality"),
        ("29,False\n1", "29,False\n1,10050,7,R,CC,53.0,,1\n1", "line 4: cancer"),
        ("1459541791", "../secret", "line 3: image_id"),
        ("1459541791", "462822612", "10006/462822612"),
    ],
)
def test_invalid_value_is_rejected_with_its_place(
    table: Path, good: str, bad: str, named: str
) -> None:
    table.write_text(TABLE.replace(good, bad))

    with pytest.raises(TableError, match=named):
        read_table(table)


@pytest.mark.parametrize(
    ("choice", "images"),
    [
        (RowFilter(), ["462822612", "1459541791", "2112838101"]),
        (RowFilter(patient_ids=("10006",)), ["462822612", "1459541791"]),
        (RowFilter(cancer=True), ["2112838101"]),
        (RowFilter(cancer=False, views=("MLO",)), ["1459541791"]),
        (RowFilter(laterality="R"), ["2112838101"]),
        (RowFilter(views=("CC",)), ["462822612", "2112838101"]),
    ],
)
def test_filter_keeps_rows_that_meet_every_condition(
    table: Path, choice: RowFilter, images: list[str]
) -> None:
    selected = select(read_table(table), choice)

    assert [record.image_id for record in selected] == images


def test_unknown_patients_are_named(table: Path) -> None:
    with pytest.raises(TableError, match="10007, 10008"):
        select(read_table(table), RowFilter(patient_ids=("10006", "10008", "10007")))


def test_filter_without_matching_row_is_rejected(table: Path) -> None:
    with pytest.raises(TableError, match="No row"):
        select(read_table(table), RowFilter(cancer=True, laterality="L"))


def test_missing_image_files_are_named_and_counted(table: Path, tmp_path: Path) -> None:
    data = Data(table=table, images=f"{tmp_path}/{{patient_id}}/{{image_id}}.dcm", cache=tmp_path)
    (tmp_path / "10006").mkdir()
    (tmp_path / "10006" / "462822612.dcm").touch()

    with pytest.raises(
        TableError, match=r"^2 images .*10006/1459541791\.dcm, .*10049/2112838101\.dcm"
    ):
        require_images(read_table(table), data)
