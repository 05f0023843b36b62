"""`mammolens explain`: one file, no server."""

import json
from pathlib import Path

import cv2
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from service.api.explain_files import main
from tests.support.paths import SAMPLE


@pytest.fixture
def image(mammogram_png: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "image.png"
    path.write_bytes(mammogram_png)
    return path


def explain(*arguments: object) -> int:
    return main([*map(str, arguments), "--model", "fake"])


def test_results_are_those_of_the_route(image: Path, tmp_path: Path, client: TestClient) -> None:
    answer = client.post(
        "/gradcam?size=1024", content=image.read_bytes(), headers={"content-type": "image/png"}
    ).json()

    code = explain(image, "--out", tmp_path / "out")

    document = json.loads((tmp_path / "out" / "image.json").read_text("utf-8"))
    assert code == 0
    for varying in ("timings_ms",):
        del document[varying], answer[varying]
    assert document == answer


def test_pictures_cover_the_frame_of_the_image(image: Path, tmp_path: Path) -> None:
    explain(image, "--out", tmp_path / "out", "--size", "source")

    overlay = cv2.imread(str(tmp_path / "out" / "image-overlay.png"))
    heatmap = cv2.imread(str(tmp_path / "out" / "image-heatmap.png"), cv2.IMREAD_UNCHANGED)
    assert overlay is not None
    assert heatmap is not None
    assert overlay.shape == (640, 480, 3)
    assert heatmap.shape[:2] == (640, 480)


@pytest.mark.parametrize("name", ["jpeg", "webp"])
def test_format_of_the_overlay_can_be_chosen(image: Path, tmp_path: Path, name: str) -> None:
    explain(image, "--out", tmp_path / "out", "--size", "source", "--format", name)

    with Image.open(tmp_path / "out" / f"image-overlay.{name}") as overlay:
        assert (overlay.format, overlay.size) == (name.upper(), (480, 640))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "image-heatmap.png", f"image-overlay.{name}", "image.json",
    ]  # fmt: skip


def test_refused_file_is_named_and_others_are_explained(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no image")

    code = explain(text, image, "--out", tmp_path / "out")

    assert code == 1
    assert "notes.txt: Unsupported file format." in capsys.readouterr().err
    assert (tmp_path / "out" / "image.json").exists()


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("--layer", "conv9", "conv2d"),
        ("--class", "other", "no_cancer"),
        ("--model", "none", "none"),
    ],
)
def test_unusable_choice_stops_before_any_file(
    image: Path,
    tmp_path: Path,
    option: str,
    value: str,
    named: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main([str(image), "--out", str(tmp_path / "out"), "--model", "fake", option, value])

    assert code == 1
    assert named in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_option_out_of_range_is_named(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        explain(image, "--out", tmp_path, "--level", 7)

    assert "--level" in capsys.readouterr().err


def test_files_of_one_name_are_refused(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twin = tmp_path / "image.jpg"
    twin.write_bytes(image.read_bytes())

    code = explain(image, twin, "--out", tmp_path / "out")

    assert code == 1
    assert "same name" in capsys.readouterr().err


def test_scale_and_note_are_told(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    explain(image, "--out", tmp_path / "compared")
    explain(image, "--out", tmp_path / "own", "--scale", "image")

    scales = [
        json.loads((tmp_path / out / "image.json").read_text("utf-8"))["scale"]
        for out in ("compared", "own")
    ]
    assert scales == ["reference", "image"]
    assert "  Decided negative: heat is no finding.\n" in capsys.readouterr().out


def test_side_and_view_are_told_with_their_source(
    mammogram_png: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The header of the sample says R and MLO, and counts."""
    names = {
        "plain.png": (mammogram_png, "laterality not stated, view MLO (option)"),
        "7_L_CC.png": (mammogram_png, "laterality L (name of the file), view MLO (option)"),
        "8_L_MLO.dcm": (SAMPLE.read_bytes(), "laterality R (header), view MLO (header)"),
    }
    paths = [tmp_path / name for name in names]
    for path in paths:
        path.write_bytes(names[path.name][0])

    explain(*paths, "--out", tmp_path / "out", "--view", "mlo")

    printed = capsys.readouterr().out
    assert all(f"  {told}\n" in printed for _, told in names.values())
    assert printed.count("caller-contradicted: The name of the file says another side") == 1
    facts = json.loads((tmp_path / "out" / "7_L_CC.json").read_text("utf-8"))["image"]
    assert (facts["laterality"], facts["laterality_source"]) == ("L", "file-name")
    assert (facts["view"], facts["view_source"]) == ("MLO", "caller")
