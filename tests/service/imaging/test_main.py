"""The command that shows how a file is read."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from service.imaging.__main__ import main
from service.records import Pixels

WriteDicom = Callable[..., bytes]


@pytest.fixture
def image(write_dicom: WriteDicom, breast: Pixels, tmp_path: Path) -> Path:
    path = tmp_path / "image.dcm"
    path.write_bytes(write_dicom(breast, BitsStored=12, ImageLaterality="R", ViewPosition="CC"))
    return path


def test_attributes_and_decisions_are_printed(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(tmp_path / "pictures"), str(image)]) == 0

    shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[1:])
    assert shown["laterality"] == "R"
    assert shown["view"] == "CC"
    assert shown["implant"] == "not stated"
    assert shown["chest_wall"] == "left"
    assert "no-window" in shown["cautions"]


def test_pictures_show_mammogram_and_model_input(image: Path, tmp_path: Path) -> None:
    """Both are drawn with their outlines."""
    main(["--out", str(tmp_path), "--grid", "128x96", "--size", "210", str(image)])
    calibrated = cv2.imread(str(tmp_path / "image-calibrated.png"))
    fitted = cv2.imread(str(tmp_path / "image-fitted.png"))

    assert calibrated is not None
    assert fitted is not None
    assert calibrated.shape == (210, 150, 3)
    assert fitted.shape == (768, 576, 3)

    # The breast is a half ellipse around (0, 205) with half axes 210 and 170, drawn at half size.
    green = np.argwhere((calibrated == (0, 255, 0)).all(axis=2))
    radius = np.hypot((2 * green[:, 0] - 205) / 170, 2 * green[:, 1] / 210)
    skin_radius = radius[green[:, 1] > 3]

    assert skin_radius.size > 100
    assert np.abs(skin_radius - 1).max() < 0.06

    red = np.argwhere((calibrated == (0, 0, 255)).all(axis=2))
    assert red.size > 100
    assert red[:, 1].max() <= 2


def test_json_output_writes_no_pictures(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--json", "--out", str(tmp_path / "none"), str(image)]) == 0

    described = json.loads(capsys.readouterr().out)
    assert (described["file"], described["rows"], described["window"]) == (str(image), 420, None)
    assert described["breast_box"]["left"] == 0
    assert not (tmp_path / "none").exists()


def test_refused_file_does_not_stop_the_others(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The refused file is named with the reason."""
    (tmp_path / "text.dcm").write_text("no image", "utf-8")
    files = [tmp_path / "text.dcm", tmp_path / "absent.dcm", image]

    assert main(["--json", *map(str, files)]) == 1

    captured = capsys.readouterr()
    assert "text.dcm: UnsupportedFormat" in captured.err
    assert "absent.dcm: FileNotFoundError" in captured.err
    assert json.loads(captured.out)["rows"] == 420


@pytest.mark.parametrize("grid", ["256", "0x4", "axb", "-1x5"])
def test_invalid_grid_is_refused(grid: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--grid", grid, "image.dcm"])
    assert "ROWSxCOLUMNS" in capsys.readouterr().err


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])

    shown = capsys.readouterr().out
    assert "examples:" in shown
    assert "calibrated.png" in shown


def test_file_name_and_options_name_missing_facts(
    write_dicom: WriteDicom, breast: Pixels, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "7_R_MLO.dcm"
    path.write_bytes(write_dicom(breast, BitsStored=12, ViewPosition="CC"))

    main(["--json", str(path)])
    main(["--json", "--laterality", "L", str(path)])

    proposed, given = map(json.loads, capsys.readouterr().out.splitlines())
    assert (proposed["laterality"], proposed["laterality_source"]) == ("R", "file-name")
    assert (proposed["view"], proposed["view_source"]) == ("CC", "header")
    assert any(caution.startswith("caller-contradicted") for caution in proposed["cautions"])
    assert (given["laterality"], given["laterality_source"]) == ("L", "caller")
