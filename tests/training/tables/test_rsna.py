from pathlib import Path

import pytest

from tests.training.tables.conftest import MakeTable
from training.commands import main

TRAIN = """\
site_id,patient_id,image_id,laterality,view,age,cancer,biopsy,\
invasive,BIRADS,implant,density,machine_id,difficult_negative_case
2,10006,462822612,L,CC,61.0,0,0,0,,0,,29,False
2,10006,1459541791,L,MLO,61.0,0,0,0,,0,,29,False
1,10049,2112838101,R,CC,53.0,1,1,1,,0,B,49,False
1,10049,999,R,MLO,53.0,1,1,1,,0,B,49,False
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The set, without the file of its last image."""
    root = tmp_path / "rsna"
    for name in ("10006/462822612", "10006/1459541791", "10049/2112838101"):
        path = root / "train_images" / f"{name}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (root / "train.csv").write_text(TRAIN)
    return root


def test_set_becomes_a_table(source: Path, make: MakeTable) -> None:
    rows = make("rsna", source)

    assert [row["path"] for row in rows] == [
        "train_images/10006/462822612.dcm",
        "train_images/10006/1459541791.dcm",
        "train_images/10049/2112838101.dcm",
    ]
    assert rows[2] == {
        "patient_id": "10049",
        "image_id": "2112838101",
        "laterality": "R",
        "view": "CC",
        "cancer": "1",
        "site_id": "1",
        "age": "53.0",
        "biopsy": "1",
        "invasive": "1",
        "birads": "",
        "implant": "0",
        "density": "B",
        "machine_id": "49",
        "difficult_negative_case": "False",
        "path": "train_images/10049/2112838101.dcm",
    }


def test_counts_and_section_are_printed(
    source: Path, make: MakeTable, capsys: pytest.CaptureFixture[str]
) -> None:
    make("rsna", source)

    text = capsys.readouterr().out
    for line in ("3  images\n", "2  patients\n", "1  images with cancer\n"):
        assert f"       {line}" in text
    assert "       1  left out: no image file\n" in text
    assert f'[data]\ntable = "{source.parent}/made/t.csv"\nimages = "{source}/{{path}}"' in text


def test_table_of_other_images_keeps_its_folds(source: Path, make: MakeTable) -> None:
    table = source / "labels.csv"
    table.write_text(
        "file,patient_id,image_id,laterality,view,cancer,fold\n"
        "a.jpg,5,7,L,CC,1,3\nb.jpg,6,8,R,CC,0,4\n"
    )
    (source / "small").mkdir()
    for name in ("5_7.jpg", "6_8.jpg"):
        (source / "small" / name).touch()

    rows = make("rsna", table, "--images", "small/{patient_id}_{image_id}.jpg")

    assert [(row["path"], row["fold"], row["file"]) for row in rows] == [
        ("small/5_7.jpg", "3", "a.jpg"),
        ("small/6_8.jpg", "4", "b.jpg"),
    ]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ((), "none of the files of the images, such as train_images/10006"),
        (("--images", "{patient}.dcm"), "`--images` uses patient"),
    ],
)
def test_wrong_place_of_images_is_named(
    source: Path,
    tmp_path: Path,
    options: tuple[str, ...],
    named: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (source / "train_images").rename(source / "elsewhere")

    code = main(["table", "rsna", str(source), "--out", str(tmp_path / "t.csv"), *options])

    assert code == 2
    assert named in capsys.readouterr().err
