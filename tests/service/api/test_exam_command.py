"""`mammolens explain` of an exam: the files it writes, the lines it prints, its refusals."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from pydicom import dcmread

from service.api.explain_files import main
from tests.support.paths import DEMO, ROOT, SAMPLE

SAMPLES = ROOT / "docs" / "sample-exam"
PICTURES = [f"{view}-overlay.png" for view in ("L-CC", "L-MLO", "R-CC", "R-MLO")]


@pytest.fixture
def exam(tmp_path: Path) -> Path:
    """A folder with two images, a note and a hidden file."""
    folder = tmp_path / "exam"
    folder.mkdir()
    for view in ("L-CC", "R-MLO"):
        shutil.copy(SAMPLES / f"{view}.dcm", folder)
    (folder / "notes.txt").write_text("no image")
    (folder / ".hidden.dcm").write_text("no image")
    return folder


def explain(*arguments: object) -> int:
    return main([*map(str, arguments), "--model", "fake"])


def is_colourful(path: Path) -> bool:
    with Image.open(path) as picture:
        red, green, _ = picture.convert("RGB").split()
        return red.tobytes() != green.tobytes()


def written(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir())


def test_folder_of_sample_exam_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the demo model, which finds the cancer of the right breast."""
    out = tmp_path / "out"

    code = main([str(SAMPLES), "--out", str(out), "--model", str(DEMO)])

    lines = capsys.readouterr().out.splitlines()
    answer = json.loads((out / "exam.json").read_text("utf-8"))
    assert code == 0
    assert written(out) == sorted([
        *PICTURES, "exam.json", "summary.png", "summary.dcm", "report.dcm",
        "R-CC-marks.dcm", "R-CC-sc.dcm", "R-CC-seg.dcm",
        "R-MLO-marks.dcm", "R-MLO-sc.dcm", "R-MLO-seg.dcm",
    ])  # fmt: skip
    assert (answer["exam"]["positive"], answer["exam"]["driven_by"]) == (True, "R")
    assert [line.split()[-1] for line in lines[1:5]] == ["negative"] * 2 + ["positive"] * 2
    assert dcmread(out / "R-CC-sc.dcm").Laterality == "R"


def test_rest_of_a_folder_is_told(
    exam: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stand-in decides both images negative."""
    (exam / "L-MLO.png").write_text("no image")
    out = tmp_path / "out"

    code = explain(exam, "--out", out, "--objects", "report,sc")

    printed = capsys.readouterr().out
    assert code == 1
    assert "refused     Unsupported file format." in printed
    assert f"skipped, no image: {exam / 'notes.txt'}\n" in printed
    assert "missing views: L-MLO, R-CC\n" in printed
    assert "hidden" not in printed
    assert written(out) == [
        "L-CC-overlay.png", "R-MLO-overlay.png", "exam.json", "report.dcm", "summary.png",
    ]  # fmt: skip
    assert not is_colourful(out / "L-CC-overlay.png")


def test_negative_images_are_shown_on_request(exam: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    code = explain(exam, "--out", out, "--objects", "sc", "--negatives")

    assert code == 0
    assert {"L-CC-sc.dcm", "R-MLO-sc.dcm"} <= {*written(out)}
    assert is_colourful(out / "L-CC-overlay.png")


def test_files_are_an_exam_on_request(
    mammogram_png: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Side and view come from the names. Pictures without a study have no objects."""
    paths = [tmp_path / "7_L_CC.png", tmp_path / "7_R_CC.png"]
    for number, path in enumerate(paths):
        path.write_bytes(mammogram_png + bytes(number))

    code = explain(*paths, "--exam", "--out", tmp_path / "out", "--format", "jpeg")

    assert code == 0
    assert written(tmp_path / "out") == [
        "L-CC-overlay.jpeg", "R-CC-overlay.jpeg", "exam.json", "summary.png",
    ]  # fmt: skip
    assert "no objects for archives: " in capsys.readouterr().out


def test_images_of_two_patients_are_refused(
    exam: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = dcmread(SAMPLE)
    other.PatientID = "ANOTHER"
    other.save_as(exam / "other.dcm")

    code = explain(exam, "--out", tmp_path / "out")

    error = capsys.readouterr().err
    assert code == 1
    assert "different" in error
    assert "ANOTHER" not in error
    assert not (tmp_path / "out").exists()


def test_exam_of_one_image_may_lack_objects(
    exam: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stand-in decides it negative."""
    (exam / "R-MLO.dcm").unlink()

    code = explain(exam, "--out", tmp_path / "out", "--objects", "sc")

    assert code == 1
    assert "no objects for archives: The image is decided negative" in capsys.readouterr().out


def test_missing_file_of_an_exam_is_named(
    exam: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = exam / "R-CC.dcm"

    code = explain(exam / "L-CC.dcm", missing, "--exam", "--out", tmp_path / "out")

    assert code == 1
    assert f"{missing} cannot be read: No such file" in capsys.readouterr().err


def test_results_need_a_folder_of_their_own(exam: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        explain(exam, "--out", exam)

    assert "--out" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["{exam}", "{exam}"], "folder"),
        (["{exam}", "--laterality", "L"], "--laterality"),
        (["{exam}", "--class", "cancer"], "--class"),
        (["{exam}", "--objects", "cad"], "--objects"),
        (["{sample}", "--objects", "sc"], "--exam"),
    ],
)
def test_options_that_do_not_fit_are_named(
    exam: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    given = [text.format(exam=exam, sample=SAMPLE) for text in arguments]

    with pytest.raises(SystemExit, match="2"):
        explain(*given, "--out", exam / "out")

    assert named in capsys.readouterr().err
