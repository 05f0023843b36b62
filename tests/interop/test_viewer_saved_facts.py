"""What leaves the viewer: saved pictures, and commands that give the same."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile
from playwright.sync_api import Page

from tests.support.browser import Visit
from tests.support.changed_answers import change_answers
from tests.support.viewer_page import (
    SAMPLE_FILES,
    choose_files,
    open_sample,
    payload,
    wait_for_scores,
)
from tests.support.viewer_panel import FAILED, add_warning, compare_with, section

pytestmark = pytest.mark.interop

EXAM = SAMPLE_FILES[0].parent
NAME = "DOE^JANE 'R' MLO.dcm"


def test_saved_picture_holds_facts(demo_address: str, visit: Visit, tmp_path: Path) -> None:
    change_answers(visit.page, lambda exam: add_warning(exam, FAILED))
    open_sample(visit.page, demo_address)
    model = httpx.get(f"{demo_address}/model").json()["model"]

    lines = saved(visit.page, tmp_path).text["Description"].splitlines()

    assert lines[0] == "Not a medical device. Research only."
    assert lines[1] == f"Model demo, version 1, digest {model['digest']}"
    assert lines[2].startswith("Heat: Grad-CAM at conv2d_2. Saved 20")
    assert lines[3] == "Exam ▲ positive: 97.1 %, threshold 46.4 %"
    assert "L CC ○ negative: 0.4 %, threshold 7.6 %" in lines
    assert lines[-6] == (
        "Heat drawn with opacity 60 %, none below 0 %, colours Cividis (colour-blind safe), "
        "full strength: model's reference peak"
    )
    assert re.fullmatch(r"R CC window .+: \d+ / \d+", lines[-5])
    assert lines[-1] == f"Warning, Model: {FAILED['message']}"


def test_saved_picture_shows_images_and_words(page: Page, tmp_path: Path) -> None:
    stage = page.locator(".figures").bounding_box()
    assert stage is not None

    picture = saved(page, tmp_path).convert("L")

    top = round(stage["height"])
    images = picture.crop((0, 0, picture.width, top))
    words = picture.crop((0, top, picture.width, picture.height))
    assert picture.width == int(stage["width"])
    assert picture.height == int(stage["height"] + 20 * (15 + 1))  # fifteen lines
    assert images.getextrema()[1] == 255
    assert words.getextrema()[1] == 255
    assert words.crop((0, 0, 8, words.height)).getextrema()[1] == 0


def test_saved_captions_keep_to_figures(page: Page, tmp_path: Path) -> None:
    page.get_by_role("button", name="Two views").click()
    page.set_viewport_size({"width": 620, "height": 900})
    caption = page.locator("figcaption:visible").first.bounding_box()
    stage = page.locator(".figures").bounding_box()
    assert caption is not None
    assert stage is not None

    picture = saved(page, tmp_path).convert("L")

    right = round(caption["x"] + caption["width"] - stage["x"])
    bottom = round(caption["height"])
    assert picture.crop((10, 4, right, bottom)).getextrema()[1] == 255
    assert not any(picture.crop((right, 4, right + 5, bottom)).histogram()[200:])


def test_saved_picture_names_nobody(demo_address: str, visit: Visit, tmp_path: Path) -> None:
    visit.page.goto(f"{demo_address}/viewer")
    choose_files(visit.page, [payload(NAME, SAMPLE_FILES[2].read_bytes())])
    wait_for_scores(visit.page, 1)

    saved(visit.page, tmp_path)

    content = (tmp_path / "saved.png").read_bytes()
    assert b"DOE" not in content
    assert b"Not a medical device" in content


def test_saved_comparison_names_both_methods(page: Page, tmp_path: Path) -> None:
    compare_with(page, "layer-cam")

    lines = saved(page, tmp_path).text["Description"].splitlines()

    assert lines[2].startswith("Heat: Grad-CAM at conv2d_2 and LayerCAM at conv2d_2.")


def test_command_gives_same_exam(page: Page) -> None:
    shown = section(page, "Decision").locator(".row").first.text_content() or ""

    exam = json.loads(run(command(page, "the exam"), EXAM))

    assert f"{100 * exam['exam']['probability']:.1f} %" in shown
    assert [image["status"] for image in exam["images"]] == ["answered"] * 4
    assert all(image["heat"] is not None for image in exam["images"])


def test_command_gives_picture_as_shown(page: Page, demo_address: str, tmp_path: Path) -> None:
    heat = section(page, "Heat controls")
    heat.get_by_role("combobox", name="Colours").select_option("inferno")
    heat.get_by_role("combobox", name="Full strength").select_option("image")
    heat.get_by_role("slider", name="Opacity").fill("0.4")
    shutil.copy(SAMPLE_FILES[0], tmp_path / SAMPLE_FILES[0].name)

    run(command(page, "this image's picture"), tmp_path)

    options = {"method": "grad-cam", "colormap": "inferno", "opacity": "0.4", "scale": "image"}
    files = {"file": SAMPLE_FILES[0].read_bytes()}
    expected = httpx.post(f"{demo_address}/gradcam.png", params=options, files=files, timeout=60)
    assert (tmp_path / "heat.png").read_bytes() == expected.content


def test_command_survives_odd_file_name(demo_address: str, visit: Visit, tmp_path: Path) -> None:
    visit.page.goto(f"{demo_address}/viewer")
    choose_files(visit.page, [payload(NAME, SAMPLE_FILES[2].read_bytes())])
    wait_for_scores(visit.page, 1)
    (tmp_path / NAME).write_bytes(SAMPLE_FILES[2].read_bytes())

    exam = json.loads(run(command(visit.page, "the exam"), tmp_path))

    assert exam["images"][0]["image"]["view"] == "MLO"


def saved(page: Page, folder: Path) -> PngImageFile:
    """Save the images in the folder, and return the picture."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the images as PNG").click()
    path = folder / "saved.png"
    download.value.save_as(path)
    picture = Image.open(path)
    assert isinstance(picture, PngImageFile)
    picture.load()
    return picture


def command(page: Page, name: str) -> str:
    """Return a command of the panel."""
    page.get_by_text("The same by curl").click()
    return page.get_by_role("textbox", name=f"Command for {name}").input_value()


def run(line: str, folder: Path) -> bytes:
    """Run a command line of curl in a folder, as a shell takes it apart."""
    arguments = shlex.split(line)
    assert arguments[0] == "curl"
    return subprocess.run([*arguments, "-sf"], cwd=folder, check=True, capture_output=True).stdout
