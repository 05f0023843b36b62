"""The panel beside the images: its words and numbers are those of the answer."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import Visit, visiting
from tests.support.changed_answers import change_answers
from tests.support.viewer_page import SAMPLE_FILES, choose_files, open_sample
from tests.support.viewer_panel import FAILED, add_warning, choose, section, view

pytestmark = pytest.mark.interop

POSITIVE = "R CC"
NEGATIVE = "L CC"


@pytest.fixture(scope="module")
def answer(demo_address: str) -> dict[str, Any]:
    """The answer of the service about the sample exam."""
    files = [("file", path.read_bytes()) for path in SAMPLE_FILES]
    return dict(httpx.post(f"{demo_address}/exam?heat=all", files=files, timeout=60).json())


@pytest.fixture(scope="module")
def shown(demo_address: str, browser: Browser) -> Iterator[Page]:
    """The viewer with the sample exam, for tests that change nothing."""
    with visiting(browser) as started:
        open_sample(started.page, demo_address)
        yield started.page
        started.assert_quiet(demo_address)


def test_decisions_are_those_of_answer(shown: Page, answer: dict[str, Any]) -> None:
    exam = answer["exam"]
    rows = section(shown, "Decision").locator(".row")

    expect(rows.nth(0)).to_contain_text(f"Exam▲ positive{exam['probability']:.1%}"[:-1])
    expect(rows.nth(0)).to_contain_text(f"threshold {exam['threshold']:.1%}"[:-1])
    expect(rows.nth(0)).to_contain_text("higher than all cancer-free validation exams")
    left = answer["breasts"]["L"]
    expect(rows.nth(1)).to_contain_text(f"L breast○ negative{left['probability']:.1%}"[:-1])
    expect(rows.nth(1)).to_contain_text(f"higher than {int(left['percentile'])} % of")
    expect(section(shown, "Decision")).to_contain_text("The right breast drives the exam")


def test_tick_of_bar_is_at_threshold(shown: Page, answer: dict[str, Any]) -> None:
    row = section(shown, "Decision").locator(".row").first
    exam = answer["exam"]

    place = row.locator(".tick").get_attribute("d") or ""
    width = row.locator("rect.value").get_attribute("width") or ""

    assert float(place[1:].split(" ")[0]) == pytest.approx(100 * exam["threshold"])
    assert float(width) == pytest.approx(100 * exam["probability"])


def test_missing_views_are_named(demo_address: str, visit: Visit) -> None:
    visit.page.goto(f"{demo_address}/viewer")
    choose_files(visit.page, SAMPLE_FILES[1::2])

    words = "2 of 4 views: R CC and R MLO are missing. Nothing is said about the right breast."
    expect(section(visit.page, "Decision")).to_contain_text(words)


def test_missing_threshold_is_explained(demo_address: str, visit: Visit) -> None:
    def change(exam: dict[str, Any]) -> None:
        exam["exam"] |= {"threshold": None, "positive": None, "percentile": None}

    change_answers(visit.page, change)
    open_sample(visit.page, demo_address)

    row = section(visit.page, "Decision").locator(".row").first
    expect(row).to_contain_text("not judged")
    expect(row).to_contain_text("no threshold was measured for 4 views")
    expect(row.locator(".tick")).to_have_count(0)


def test_uncounted_image_says_why(demo_address: str, visit: Visit) -> None:
    def change(exam: dict[str, Any]) -> None:
        exam["images"][0] |= {"counted": False, "not_counted": "duplicate"}

    change_answers(visit.page, change)
    open_or_wait(visit.page, demo_address)

    words = "does not count: the same image is there twice"
    expect(section(visit.page, "Decision").get_by_role("button").first).to_contain_text(words)


def test_failed_scorecard_covers_heat(demo_address: str, visit: Visit) -> None:
    change_answers(visit.page, lambda exam: add_warning(exam, FAILED))
    open_sample(visit.page, demo_address)
    warnings = section(visit.page, "Warnings")

    expect(view(visit.page, POSITIVE)).to_have_accessible_name(re.compile("heat covered"))
    expect(warnings).to_contain_text(f"Model: {FAILED['message']}")
    expect(warnings).to_contain_text("Do not trust this heatmap")
    warnings.get_by_role("button", name="Show heat anyway").click()

    expect(view(visit.page, POSITIVE)).to_have_accessible_name(re.compile("heat shown"))
    words = "Heat of R CC and R MLO is shown although a warning says that it is no evidence."
    expect(warnings).to_contain_text(words)
    hidden = "Heat of L CC and L MLO stays hidden until you ask for it: decided negative."
    expect(warnings).to_contain_text(hidden)


def test_covered_heat_cannot_be_asked_for(demo_address: str, visit: Visit) -> None:
    change_answers(visit.page, lambda exam: add_warning(exam, FAILED))
    open_sample(visit.page, demo_address)
    choose(visit.page, NEGATIVE)
    heat = section(visit.page, f"Heat of {NEGATIVE}")

    expect(heat.get_by_role("button", name="Show heat of this image")).to_be_disabled()
    expect(heat.get_by_text("It is covered: read the warnings")).to_be_visible()
    visit.page.get_by_role("button", name="Show heat anyway").click()

    expect(heat.get_by_role("button", name="Show heat of this image")).to_be_enabled()
    expect(heat.get_by_text("It is covered")).to_be_hidden()


def test_warning_names_its_images_once(demo_address: str, visit: Visit) -> None:
    warning = {"code": "heatmap-uniform", "message": "The heat is spread almost evenly."}
    change_answers(visit.page, lambda exam: add_warning(exam, warning))
    open_sample(visit.page, demo_address)

    items = section(visit.page, "Warnings").get_by_role("listitem")

    expect(items).to_have_count(1)
    expect(items).to_have_text("R CC, L CC, R MLO and L MLO: The heat is spread almost evenly.")
    words = "Trust this heatmap less than others: 1 warning about the map."
    expect(section(visit.page, "Warnings")).to_contain_text(words)


def test_figures_of_warning_keep_their_image(demo_address: str, visit: Visit) -> None:
    def change(exam: dict[str, Any]) -> None:
        for image, value in zip(exam["images"], (7, 8, 7, 9), strict=True):
            message = f"Too bright by {value} %."
            image["warnings"].append({"code": "heatmap-uniform", "message": message})
        exam["warnings"].append({"code": "heatmap-uniform", "message": "Of the exam."})

    change_answers(visit.page, change)
    open_sample(visit.page, demo_address)
    choose(visit.page, NEGATIVE)

    items = section(visit.page, "Warnings").get_by_role("listitem")
    labels = "R CC and R MLO: Too bright by 7 %."
    others = "Also L CC and L MLO: the same with other figures."
    expect(items).to_have_text(["Exam: Of the exam.", f"{labels} {others}"])


def test_heat_of_negative_waits_for_reader(page: Page) -> None:
    choose(page, NEGATIVE)
    heat = section(page, f"Heat of {NEGATIVE}")

    expect(view(page, NEGATIVE)).to_have_accessible_name(re.compile("heat not shown"))
    expect(heat).to_contain_text("Decided negative: heat is no finding.")
    heat.get_by_role("button", name="Show heat of this image").click()

    expect(view(page, NEGATIVE)).to_have_accessible_name(re.compile("heat shown"))


def test_relative_peak_is_that_of_answer(shown: Page, answer: dict[str, Any]) -> None:
    peak = answer["images"][0]["heat"]["relative_peak"]

    words = f"{round(100 * peak)} % of the heat of a typical cancer"
    expect(section(shown, f"Heat of {POSITIVE}")).to_contain_text(words)


def test_blank_map_says_why(demo_address: str, visit: Visit) -> None:
    def change(exam: dict[str, Any]) -> None:
        for image in exam["images"]:
            image["heat"] |= {"state": "dead_layer", "peak": None, "relative_peak": None}

    change_answers(visit.page, change)
    open_sample(visit.page, demo_address)

    words = "Blank: every filter of the layer is zero on this image."
    expect(section(visit.page, f"Heat of {POSITIVE}")).to_contain_text(words)
    expect(section(visit.page, "Warnings")).to_contain_text("There is no heat to trust")


def test_bars_lie_where_worked_by_hand(demo_address: str, visit: Visit) -> None:
    # The axis of the range 0 to 10 runs from -2.5 to 12.5, so that 5 lies at half of 200.
    figures = {
        "lift": figure(5.0, alarm="below"),
        "entropy": figure(20.0, alarm="above", unusual=True),
        "agreement": figure(11.0, alarm="below"),
    }
    change_answers(visit.page, lambda exam: replace_figures(exam, figures))
    open_sample(visit.page, demo_address)

    lift, entropy, agreement = (bar(visit.page, name) for name in figures)

    assert place(lift.locator(".usual")) == pytest.approx((200 / 6, 200 * 4 / 6))
    assert start(lift.locator(".value")) == pytest.approx(100)
    assert start(lift.locator(".alarm")) == 0
    expect(lift).to_contain_text("✓ within its range, 0 to 10")
    assert start(entropy.locator(".value")) == 200
    assert start(entropy.locator(".alarm")) == pytest.approx(200 * 5 / 6)
    expect(entropy).to_contain_text("◆ unusual: above its range")
    assert start(agreement.locator(".value")) == pytest.approx(200 * 13.5 / 15)
    expect(agreement).to_contain_text("◇ above its range, no alarm")


def test_unusual_figure_comes_first(demo_address: str, visit: Visit) -> None:
    figures = {
        "lift": figure(5.0, alarm="below"),
        "entropy": figure(20.0, alarm="above", unusual=True),
    }
    change_answers(visit.page, lambda exam: replace_figures(exam, figures))
    open_sample(visit.page, demo_address)

    expect(visit.page.locator(".figure").first).to_contain_text("Spread of the heat")
    expect(section(visit.page, "Warnings")).to_contain_text("1 figure unusual")


def test_unknown_figure_keeps_its_name(demo_address: str, visit: Visit) -> None:
    figures = {"novel_figure": {**figure(0.5, alarm="below"), "reference": None}}
    change_answers(visit.page, lambda exam: replace_figures(exam, figures))
    open_sample(visit.page, demo_address)

    expect(bar(visit.page, "novel_figure")).to_contain_text("novel_figure0.5")
    expect(bar(visit.page, "novel_figure")).to_contain_text("no range was measured")


def test_figures_are_those_of_answer(shown: Page, answer: dict[str, Any]) -> None:
    rows = shown.locator(".figure").all()

    figures = answer["images"][0]["diagnostics"]
    assert len(rows) == len(figures)
    for row in rows:
        name = row.get_attribute("data-name") or ""
        value = float(row.locator(".share").text_content() or "")
        assert value == pytest.approx(figures[name]["value"], rel=0.005)


def bar(page: Page, name: str) -> Locator:
    """Return the row of a figure."""
    return page.locator(f".figure[data-name={name}]")


def figure(value: float, *, alarm: str, unusual: bool = False) -> dict[str, Any]:
    reference = {"low": 0.0, "high": 10.0}
    return {"value": value, "reference": reference, "unusual": unusual, "alarm": alarm}


def replace_figures(exam: dict[str, Any], figures: dict[str, Any]) -> None:
    for image in exam["images"]:
        image["diagnostics"] = figures


def start(path: Locator) -> float:
    """Return where a path begins, from left to right."""
    return float(re.split("[M ]", path.get_attribute("d") or "")[1])


def place(box: Locator) -> tuple[float, float]:
    """Return the left edge and the width of a box."""
    return float(box.get_attribute("x") or ""), float(box.get_attribute("width") or "")


def open_or_wait(page: Page, address: str) -> None:
    """Open the sample exam where one image does not count: three views have scores."""
    page.goto(f"{address}/viewer")
    page.get_by_role("button", name="Show the sample exam").click()
    expect(section(page, "Decision")).to_be_visible()
