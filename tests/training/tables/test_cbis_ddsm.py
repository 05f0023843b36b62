"""A miniature of CBIS-DDSM as it is downloaded today: its tables name files that are not there."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from service.records import Mask
from tests.training.tables.conftest import MakeTable, read_pixels, records_of
from training.commands import main

COLUMNS = (
    "left or right breast,image view,abnormality id,abnormality type,{kind} one,{kind} two,"
    "assessment,pathology,subtlety,image file path,cropped image file path,ROI mask file path"
)
MASS = "patient_id,breast_density," + COLUMNS.format(kind="mass")
CALC = "patient_id,breast density," + COLUMNS.format(kind="calc")
FILM = (30, 20)
CROP = (40, 8)


def row(patient: str, film: str, lesion: int, assessment: int, pathology: str) -> str:
    """Return a row of the table. As in the set, the last path ends with a line break."""
    kind, _, side_and_view = film.partition("_P_")
    side, view = side_and_view.split("_")[1:]
    kind = "mass" if kind.startswith("Mass") else "calcification"
    return (
        f"{patient},2,{side},{view},{lesion},{kind},A,B,{assessment},{pathology},4,"
        f"{film}/1.3/1.4/000000.dcm,{film}_{lesion}/1.5/1.6/000000.dcm,"
        f'"{film}_{lesion}/1.5/1.6/000001.dcm\n"'
    )


def write_dicom(path: Path, pixels: NDArray[np.uint8]) -> None:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.SOPInstanceUID = "1.2.3"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelRepresentation = 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelData = pixels.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


def lesion_mask(top: int, left: int) -> Mask:
    mask = np.zeros(FILM, bool)
    mask[top : top + 4, left : left + 3] = True
    return mask


def write_lesion(folder: Path, mask: Mask, *, swapped: bool, apart: bool = False) -> None:
    """Write a mask and the lesion cut out, in one series or two, under either name."""
    names = ("1-2.dcm", "1-1.dcm") if swapped else ("1-1.dcm", "1-2.dcm")
    crop = folder / ("series-1" if apart else "series") / names[0]
    write_dicom(crop, np.full(CROP, 90, np.uint8))
    write_dicom(
        folder / ("series-2" if apart else "series") / names[1], mask.astype(np.uint8) * 255
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The tables, and the folders of films and lesions in the folder of a download."""
    root = tmp_path / "cbis"
    files = root / "manifest" / "CBIS-DDSM"
    for film in (
        "Mass-Training_P_00001_LEFT_CC",
        "Calc-Training_P_00001_LEFT_CC",
        "Mass-Training_P_00002_RIGHT_MLO",
        "Mass-Training_P_00003_LEFT_MLO",
        "Calc-Test_P_00003_LEFT_CC",
    ):
        write_dicom(
            files / film / "07-20-2016-DDSM" / "1.0-full" / "1-1.dcm", np.ones(FILM, np.uint8)
        )

    write_lesion(files / "Mass-Training_P_00001_LEFT_CC_1", lesion_mask(2, 3), swapped=True)
    write_lesion(files / "Mass-Training_P_00001_LEFT_CC_2", lesion_mask(20, 9), swapped=False)
    write_lesion(
        files / "Calc-Training_P_00001_LEFT_CC_1", lesion_mask(11, 1), swapped=False, apart=True
    )
    # The mask of this lesion has another size than the film.
    write_lesion(files / "Calc-Test_P_00003_LEFT_CC_1", np.ones((29, 20), bool), swapped=False)

    mass = [
        row("P_00001", "Mass-Training_P_00001_LEFT_CC", 1, 4, "MALIGNANT"),
        row("P_00001", "Mass-Training_P_00001_LEFT_CC", 2, 3, "BENIGN"),
        row("P_00002", "Mass-Training_P_00002_RIGHT_MLO", 1, 2, "BENIGN_WITHOUT_CALLBACK"),
        row("P_00002", "Mass-Training_P_00002_RIGHT_CC", 1, 2, "BENIGN"),
        row("P_00003", "Mass-Training_P_00003_LEFT_MLO", 1, 4, "MALIGNANT"),
    ]
    (root / "mass_case_description_train_set.csv").write_text("\n".join([MASS, *mass]) + "\n")
    calc = [row("P_00001", "Calc-Training_P_00001_LEFT_CC", 1, 5, "MALIGNANT")]
    (root / "calc_case_description_train_set.csv").write_text("\n".join([CALC, *calc]) + "\n")
    test = [row("P_00003", "Calc-Test_P_00003_LEFT_CC", 1, 5, "MALIGNANT")]
    (root / "calc_case_description_test_set.csv").write_text("\n".join([CALC, *test]) + "\n")
    return root


def test_film_of_several_rows_is_one_image(source: Path, make: MakeTable) -> None:
    rows = make("cbis-ddsm", source)

    assert [(row["image_id"], row["cancer"], row["fold"]) for row in rows] == [
        ("P_00001_LEFT_CC", "1", "train"),
        ("P_00002_RIGHT_MLO", "0", "train"),
        ("P_00003_LEFT_CC", "1", "test"),
    ]
    film = rows[0]
    assert (film["laterality"], film["view"], film["density"], film["birads"]) == (
        ("L", "CC", "2", "5")
    )
    assert (film["abnormality"], film["pathology"]) == ("calcification+mass", "BENIGN+MALIGNANT")


def test_films_left_out_are_counted(
    source: Path, make: MakeTable, capsys: pytest.CaptureFixture[str]
) -> None:
    make("cbis-ddsm", source)

    text = capsys.readouterr().out
    assert "       1  left out: no image file\n" in text
    assert "       1  left out: training image of a patient in the test part\n" in text
    assert "       2  images in fold train\n" in text


def test_mask_is_the_file_of_the_film_s_size(
    source: Path, make: MakeTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make("cbis-ddsm", source, "--masks", str(tmp_path / "masks"))

    first, benign, test = records_of(tmp_path, source)
    assert first.image.is_file()
    assert (benign.lesion_mask, test.lesion_mask) == (None, None)
    assert "       1  images with cancer without a mask\n" in capsys.readouterr().out
    # Both malignant lesions of the film, and not the benign one.
    assert first.lesion_mask is not None
    np.testing.assert_array_equal(
        read_pixels(first.lesion_mask) > 0, lesion_mask(2, 3) | lesion_mask(11, 1)
    )


def test_unknown_pathology_is_named_with_its_line(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = source / "mass_case_description_train_set.csv"
    table.write_text(table.read_text().replace("BENIGN_WITHOUT_CALLBACK", "PROBABLY"))

    code = main(["table", "cbis-ddsm", str(source), "--out", str(tmp_path / "t.csv")])

    assert code == 2
    assert "line 7: pathology is not known" in capsys.readouterr().err


def test_film_may_lie_in_either_folder(source: Path, make: MakeTable) -> None:
    """A film in two tables is published twice, and one of the files is enough."""
    film = source / "manifest" / "CBIS-DDSM" / "Mass-Training_P_00001_LEFT_CC"
    film.rename(source / "elsewhere")

    first = make("cbis-ddsm", source)[0]

    assert first["path"].startswith("manifest/CBIS-DDSM/Calc-Training_P_00001_LEFT_CC/")


def test_damaged_file_of_a_lesion_is_named(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = source / "manifest" / "CBIS-DDSM" / "Mass-Training_P_00001_LEFT_CC_1"
    (folder / "series" / "1-1.dcm").write_bytes(b"half a file")
    options = ["--out", str(tmp_path / "t.csv"), "--masks", str(tmp_path / "masks")]

    code = main(["table", "cbis-ddsm", str(source), *options])

    assert code == 2
    assert "1-1.dcm is not DICOM" in capsys.readouterr().err


def test_directory_without_tables_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["table", "cbis-ddsm", str(tmp_path), "--out", str(tmp_path / "t.csv")])

    assert code == 2
    assert "mass_case_description_train_set.csv" in capsys.readouterr().err
