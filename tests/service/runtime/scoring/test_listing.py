"""Listing of an archive: the images of a folder, and those of a table."""

from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
from pyarrow import parquet

from service.errors import SourceRefused
from service.runtime.scoring.listing import digest_of, list_source


def listed(source: Path | str, images: str | None = None, left_out: str = "/none") -> pa.Table:
    return list_source(str(source), images, left_out)


def names(listing: pa.Table) -> list[str]:
    return [path.rsplit("/", 1)[1] for path in listing["path"].to_pylist()]


def write_table(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, "utf-8")
    return path


def test_folder_lists_its_images_by_path(archive: Path) -> None:
    listing = listed(archive)

    assert names(listing) == [
        *("LCC", "LMLO", "RCC", "RMLO"), "LCC", "LMLO", "cut.dcm", "a_L_CC.png", "b_R_CC.png",
    ]  # fmt: skip
    assert listing["number"].to_pylist() == list(range(9))


def test_folder_takes_views_from_file_names(archive: Path) -> None:
    row = listed(archive).to_pylist()[7]

    assert (row["laterality"], row["view"], row["named_by"]) == ("L", "CC", "file-name")
    assert row["exam"] is None


def test_folder_leaves_out_results_and_hidden_files(tmp_path: Path) -> None:
    for name in ("a.png", "scored/b.png", ".hidden/c.png", "scored-too/d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    listing = listed(tmp_path, left_out=str(tmp_path / "scored"))

    assert names(listing) == ["a.png", "d.png"]


def test_table_names_paths_beside_it(tmp_path: Path) -> None:
    table = write_table(tmp_path, "Path,Laterality,view\na.png,left,mlo\n/b.png,R,oblique\n")

    first, second = listed(table).to_pylist()

    assert first["path"].endswith(f"{tmp_path}/a.png")
    assert (first["laterality"], first["view"], first["named_by"]) == ("L", "MLO", "caller")
    assert (second["path"], second["laterality"], second["view"]) == ("/b.png", "R", None)


def test_template_makes_paths_of_columns(tmp_path: Path) -> None:
    table = write_table(tmp_path, "patient_id,image_id\n007,1\n007,2\n8,3\n")

    listing = listed(table, "/data/{patient_id}/{image_id}.dcm")

    assert listing["path"].to_pylist() == ["/data/007/1.dcm", "/data/007/2.dcm", "/data/8/3.dcm"]
    assert listing["exam"].to_pylist() == ["007", "007", "8"]


def test_exam_column_divides_a_patient(tmp_path: Path) -> None:
    table = write_table(tmp_path, "path,patient_id,exam_id\na.png,7,x\nb.png,7,y\n")

    assert listed(table)["exam"].to_pylist() == ["7/x", "7/y"]


def test_parquet_table_is_read(tmp_path: Path) -> None:
    table = tmp_path / "table.parquet"
    parquet.write_table(pa.table({"path": ["a.png"], "laterality": ["R"]}), table)

    (row,) = listed(table).to_pylist()

    assert row["path"].endswith("/a.png")
    assert row["laterality"] == "R"


def test_addresses_of_fsspec_are_listed() -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/listing-test/x/1.dcm", b"")

    assert listed("memory://listing-test")["path"].to_pylist() == ["memory:///listing-test/x/1.dcm"]


def test_missing_column_is_named(tmp_path: Path) -> None:
    table = write_table(tmp_path, "file,laterality\na.png,L\n")

    with pytest.raises(SourceRefused, match=r"no column path.*columns are file, laterality"):
        listed(table)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty", None, "no image in"),
        ("missing.csv", None, "cannot be read: No such file"),
        ("list.txt", b"a.png", "neither a folder nor a table"),
        ("ragged.csv", b"path,view\na.png\n", "is damaged"),
        ("fake.parquet", b"no parquet", "is damaged"),
    ],
)
def test_unusable_source_is_refused(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    elif "." not in name:
        (tmp_path / name).mkdir()

    with pytest.raises(SourceRefused, match=reason):
        listed(tmp_path / name)


def test_digest_follows_the_images(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    before = digest_of(listed(tmp_path))
    (tmp_path / "b.png").touch()

    assert digest_of(listed(tmp_path)) != before
    (tmp_path / "b.png").unlink()
    assert digest_of(listed(tmp_path)) == before
