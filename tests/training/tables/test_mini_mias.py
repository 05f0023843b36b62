from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.tables.conftest import MakeTable, read_pixels, records_of
from training.commands import main

INFO = """\
               MAMMOGRAPHIC IMAGE ANALYSIS SOCIETY

mdb001 G CIRC B 53 42 19
mdb002 G NORM
mdb005 F CIRC M 30 20 3
mdb005 F SPIC M 50 60 2
mdb005 F CIRC B 10 10 4
mdb059 F CIRC B
mdb216 D CALC M *NOTE 3*
mdb999 D NORM
"""
ROWS, COLUMNS = 100, 80


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The set as PGM in a folder of its own, without the file of its last image."""
    root = tmp_path / "mias"
    (root / "all-mias").mkdir(parents=True)
    grey = np.random.default_rng(0).integers(0, 255, (ROWS, COLUMNS), np.uint8)
    for number in (1, 2, 5, 59, 216):
        cv2.imwrite(str(root / "all-mias" / f"mdb{number:03}.pgm"), grey)
    (root / "Info.txt").write_text(INFO)
    return root


def test_images_are_pairs_of_right_and_left(source: Path, make: MakeTable, tmp_path: Path) -> None:
    rows = make("mini-mias", source, "--png", str(tmp_path / "png"))

    assert [(row["patient_id"], row["image_id"], row["laterality"]) for row in rows] == [
        ("mias001", "mdb001", "R"),
        ("mias001", "mdb002", "L"),
        ("mias003", "mdb005", "R"),
        ("mias030", "mdb059", "R"),
        ("mias108", "mdb216", "L"),
    ]
    assert [row["cancer"] for row in rows] == ["0", "0", "1", "0", "1"]
    assert [row["abnormality"] for row in rows] == ["CIRC", "NORM", "CIRC+SPIC", "CIRC", "CALC"]


def test_images_are_written_as_png(source: Path, make: MakeTable, tmp_path: Path) -> None:
    rows = make("mini-mias", source, "--png", str(tmp_path / "png"))

    assert rows[0]["path"] == "mdb001.png"
    np.testing.assert_array_equal(
        read_pixels(tmp_path / "png" / "mdb001.png"),
        read_pixels(source / "all-mias" / "mdb001.pgm"),
    )


def test_malignant_circles_are_counted_from_below(
    source: Path, make: MakeTable, tmp_path: Path
) -> None:
    make("mini-mias", source, "--png", str(tmp_path / "png"), "--masks", str(tmp_path / "masks"))

    marked = [record for record in records_of(tmp_path, tmp_path / "png") if record.lesion_mask]
    # The image with widespread calcifications has no mask.
    assert [record.image_id for record in marked] == ["mdb005"]
    assert marked[0].lesion_mask is not None
    mask = read_pixels(marked[0].lesion_mask)
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (37, 82, 27, 52)
    assert mask[79, 27:34].all()
    assert mask[39, 48:53].all()
    assert (mask > 0).sum() == 29 + 13


def test_pgm_without_a_place_for_png_is_refused(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["table", "mini-mias", str(source), "--out", str(tmp_path / "t.csv")])

    assert code == 2
    assert "--png DIR" in capsys.readouterr().err


def test_file_that_is_not_info_is_named(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "Info.txt").write_text("REFNUM BG CLASS\n")

    code = main(["table", "mini-mias", str(source), "--out", str(tmp_path / "t.csv")])

    assert code == 2
    assert "does not list an image" in capsys.readouterr().err
