from pathlib import Path

import pytest

from tests.support.experiments import image_source
from training.data.table import Record, load_records, read_table, require_images, select
from training.errors import TableError
from training.table_config import Data, FurtherTable, ImageTable, RowFilter

TABLE = """\
site_id,patient_id,image_id,laterality,view,age,cancer,biopsy,\
invasive,BIRADS,implant,density,machine_id,difficult_negative_case
2,10006,462822612,L,CC,61.0,0,0,0,,0,,29,False
2,10006,1459541791,L,MLO,61.0,0,0,0,,0,,29,False
1,10049,2112838101,R,CC,53.0,1,1,1,,0,B,49,False
"""
SMALL = "patient_id,image_id,laterality,view,cancer\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "train.csv"
    path.write_text(TABLE)
    return path


def images_of(path: Path, lesion_masks: str | None = None) -> ImageTable:
    return ImageTable(
        table=path, images="images/{patient_id}/{image_id}.dcm", lesion_masks=lesion_masks
    )


def read(path: Path) -> tuple[Record, ...]:
    return read_table(images_of(path))


def test_table_of_the_challenge_is_read(path: Path) -> None:
    first, _, last = read(path)

    assert first == Record(
        "10006", "462822612", "L", "CC", cancer=False, image=Path("images/10006/462822612.dcm")
    )
    assert last == Record(
        "10049", "2112838101", "R", "CC", cancer=True, image=Path("images/10049/2112838101.dcm")
    )
    assert (last.columns["birads"], last.columns["density"]) == ("", "B")


def test_byte_order_mark_and_crlf_are_read(path: Path) -> None:
    """Spreadsheets export both."""
    records = read(path)

    path.write_bytes(b"\xef\xbb\xbf" + TABLE.replace("\n", "\r\n").encode())

    assert read(path) == records


@pytest.mark.parametrize(
    ("laterality", "cancer", "expected"),
    [
        ("l", "0.0", ("L", False)),
        ("Left", "FALSE", ("L", False)),
        (" LEFT ", "no", ("L", False)),
        ("R", "BENIGN_WITHOUT_CALLBACK", ("R", False)),
        ("right", "Benign", ("R", False)),
        ("r", "negative", ("R", False)),
        ("RIGHT", "1.0", ("R", True)),
        ("L", "True", ("L", True)),
        ("L", "yes", ("L", True)),
        ("L", "MALIGNANT", ("L", True)),
        ("L", "Positive", ("L", True)),
    ],
)
def test_other_words_for_values_are_understood(
    path: Path, laterality: str, cancer: str, expected: tuple[str, bool]
) -> None:
    path.write_text(f"{SMALL}p,i,{laterality},CC,{cancer}\n")

    (record,) = read(path)

    assert (record.laterality, record.cancer) == expected


def test_headers_in_capitals_with_blanks_are_understood(path: Path) -> None:
    path.write_text("Patient ID, IMAGE_ID ,Laterality,VIEW,Cancer,Fold\n p , i ,L,CC,1,2.0\n")

    (record,) = read(path)

    assert (record.key, record.fold) == (("p", "i"), "2")


def test_exams_of_one_woman_are_kept_apart(path: Path) -> None:
    path.write_text(
        "patient_id,exam_id,image_id,laterality,view,cancer\n"
        "p,2020,a,L,CC,0\np,2022,b,L,CC,1\np,2022,c,L,MLO,1\n"
    )

    first, second, third = read(path)

    assert first.exam == ("p", "2020")
    assert first.breast != second.breast
    assert second.breast == third.breast == ("p", "2022", "L")


def test_templates_use_any_column(path: Path) -> None:
    path.write_text(f"{SMALL.strip()},File,Mask\np,i,L,CC,1,a/b.png,m.png\np,j,L,CC,0,c.png,\n")
    table = ImageTable(table=path, images="data/{File}", lesion_masks="masks/{mask}")

    marked, unmarked = read_table(table)

    assert (marked.image, marked.lesion_mask) == (Path("data/a/b.png"), Path("masks/m.png"))
    assert (unmarked.image, unmarked.lesion_mask) == (Path("data/c.png"), None)


def test_unknown_column_in_template_is_named(path: Path) -> None:
    table = ImageTable(table=path, images="{patient_id}.dcm", lesion_masks="{mask}.png")

    with pytest.raises(
        TableError, match=r"`lesion_masks` uses mask, .* it has site_id, patient_id"
    ):
        read_table(table)


def test_empty_cell_for_the_image_is_refused(path: Path) -> None:
    table = ImageTable(table=path, images="{density}.dcm")

    with pytest.raises(TableError, match="line 2: a column that `images` uses is empty"):
        read_table(table)


def test_missing_columns_are_named(path: Path) -> None:
    path.write_text(TABLE.replace("laterality", "side").replace("cancer", "malignant"))

    with pytest.raises(TableError, match="laterality, cancer"):
        read(path)


def test_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"absent\.csv"):
        read(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "is empty"),
        (TABLE.splitlines()[0].encode(), "no rows"),
        (TABLE.encode("utf-16"), "UTF-16"),
        (TABLE.encode("utf-16-le"), "UTF-16"),
        (TABLE.replace(",", ";").encode(), "semicolons"),
        (TABLE.replace("B,49", "\xfc,49").encode("latin-1"), "not a CSV table"),
        (TABLE.replace(",age,", ",Cancer,").encode(), "repeats the columns cancer"),
    ],
)
def test_file_that_is_no_table_is_named(path: Path, content: bytes, named: str) -> None:
    path.write_bytes(content)

    with pytest.raises(TableError, match=rf"train\.csv .*{named}"):
        read(path)


def test_directory_in_place_of_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="is a directory"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("good", "bad", "named"),
    [
        ("462822612,L", "462822612,both", "line 2: laterality"),
        ("462822612,L", "462822612,", "line 2: laterality is empty: write L or R"),
        ("53.0,1,1", "53.0,2,1", "line 4: cancer"),
        ("53.0,1,1", "53.0,,1", "line 4: cancer is empty: write 1 with cancer"),
        ("1459541791", "../secret", "line 3: image_id"),
        ("1459541791", "462822612", "10006/462822612"),
    ],
)
def test_invalid_value_is_rejected_with_its_place(
    path: Path, good: str, bad: str, named: str
) -> None:
    path.write_text(TABLE.replace(good, bad))

    with pytest.raises(TableError, match=named):
        read(path)


@pytest.fixture
def two_tables(path: Path, tmp_path: Path) -> Data:
    """Two tables that share a patient's and an image's name."""
    path.write_text(f"{SMALL}p,i,L,CC,0\n")
    other = tmp_path / "other.csv"
    other.write_text(f"{SMALL}p,i,L,CC,1\n")

    further = FurtherTable(
        name="cbis", table=other, images="cbis/{patient_id}_{image_id}.dcm", train_only=True
    )
    return Data(table=path, images="{patient_id}.dcm", cache=tmp_path, further=(further,))


def test_patients_of_further_tables_have_a_prefix(two_tables: Data) -> None:
    first, second = load_records(image_source(two_tables))

    assert (first.patient_id, first.train_only, first.image) == ("p", False, Path("p.dcm"))
    assert (second.patient_id, second.train_only) == ("cbis.p", True)
    # Templates see the cells of the table itself.
    assert second.image == Path("cbis/p_i.dcm")


def test_filter_reads_names_with_prefix(two_tables: Data) -> None:
    source = image_source(two_tables, RowFilter(patient_ids=("cbis.p",)))

    (record,) = load_records(source)

    assert record.cancer


def test_image_in_two_tables_is_named(two_tables: Data) -> None:
    two_tables.table.write_text(f"{SMALL}cbis.p,i,L,CC,0\n")

    with pytest.raises(TableError, match=r"repeats? images: cbis\.p/i"):
        load_records(image_source(two_tables))


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
    path: Path, choice: RowFilter, images: list[str]
) -> None:
    selected = select(read(path), choice)

    assert [record.image_id for record in selected] == images


@pytest.mark.parametrize("wanted", ["MLO", "mlo"])
def test_views_count_in_upper_and_lower_case(path: Path, wanted: str) -> None:
    path.write_text(TABLE.replace(",MLO,", ",mlo,"))

    (record,) = select(read(path), RowFilter(views=(wanted,)))

    assert (record.image_id, record.view) == ("1459541791", "MLO")
    # Subgroups and floors see the cell as it is.
    assert record.columns["view"] == "mlo"


def test_unknown_patients_are_named(path: Path) -> None:
    with pytest.raises(TableError, match="10007, 10008"):
        select(read(path), RowFilter(patient_ids=("10006", "10008", "10007")))


def test_filter_without_matching_row_is_rejected(path: Path) -> None:
    with pytest.raises(TableError, match="No row"):
        select(read(path), RowFilter(cancer=True, laterality="L"))


def test_missing_image_files_are_named_and_counted(path: Path, tmp_path: Path) -> None:
    data = Data(table=path, images=f"{tmp_path}/{{patient_id}}/{{image_id}}.dcm", cache=tmp_path)
    (tmp_path / "10006").mkdir()
    (tmp_path / "10006" / "462822612.dcm").touch()

    with pytest.raises(
        TableError, match=r"^2 images .*10006/1459541791\.dcm, .*10049/2112838101\.dcm"
    ):
        require_images(read_table(data), data)
