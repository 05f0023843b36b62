"""The controls of the panel: window, question and comparison."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Visit, accessibility_faults, visiting
from tests.support.changed_answers import change_answers
from tests.support.viewer_canvas import pixels_of
from tests.support.viewer_page import open_sample
from tests.support.viewer_panel import (
    FAILED,
    add_warning,
    compare_with,
    section,
    show_maps,
    view,
)

pytestmark = pytest.mark.interop


def test_window_in_numbers_changes_grey(page: Page) -> None:
    canvas = view(page, "R CC")
    before = pixels_of(canvas)

    panel = section(page, "Window")
    panel.get_by_role("spinbutton", name="Centre").fill("3000")

    expect(panel.get_by_role("combobox", name="Preset")).to_have_value("")
    expect(panel.get_by_role("slider", name="Centre")).to_have_value("3000")
    assert (pixels_of(canvas) != before).any()
    panel.get_by_role("button", name="Reset").click()
    expect(panel.get_by_role("spinbutton", name="Centre")).to_have_value("2048")


def test_methods_that_mean_little_are_marked(page: Page) -> None:
    panel = section(page, "Method and layer")

    panel.get_by_role("combobox", name="Layer").select_option("conv2d_1")

    options = panel.get_by_role("combobox", name="Method").locator("option").all_text_contents()
    marked = ["Grad-CAM", "Grad-CAM++", "XGrad-CAM"]
    assert options[-3:] == [f"{name}: means little at this layer" for name in marked]
    assert options[0] == "HiResCAM"


def test_each_question_is_asked_once(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    panel = section(page, "Method and layer")
    first = page.locator(".figure[data-name=lift] .share").text_content() or ""

    for method in ("layer-cam", "grad-cam", "layer-cam"):
        panel.get_by_role("combobox", name="Method").select_option(method)
        panel.get_by_role("button", name="Explain with this").click()
        is_same = method == "grad-cam"
        names = re.compile(f"^(?={first}$)" if is_same else f"^(?!{first}$)")
        expect(page.locator(".figure[data-name=lift] .share")).to_have_text(names)

    exams = [url for url in asked if "/exam/pixels" in url]
    assert len(exams) == 1
    assert "method=layer-cam" in exams[0]


def test_failed_question_leaves_answer_named(demo_address: str, visit: Visit) -> None:
    page = visit.page
    open_sample(page, demo_address)
    page.route("**/exam/pixels?*method=layer-cam*", lambda route: route.fulfill(status=500))
    panel = section(page, "Method and layer")
    panel.get_by_role("combobox", name="Method").select_option("layer-cam")

    panel.get_by_role("button", name="Explain with this").click()

    expect(panel.get_by_role("combobox", name="Method")).to_have_value("grad-cam")
    expect(panel.get_by_role("combobox", name="Layer")).to_have_value("conv2d_2")
    heading = page.get_by_role("heading", name="Heat of R CC: Grad-CAM at conv2d_2")
    expect(heading).to_be_visible()


def test_remedy_is_in_words_of_reader(demo_address: str, visit: Visit) -> None:
    problem = {
        "type": "urn:mammolens:problem:deadline-passed",
        "title": "Deadline exceeded",
        "detail": "It took too long.",
        "remedy": "Send a larger header Request-Timeout.",
    }
    visit.page.route("**/exam/pixels?*", lambda route: route.fulfill(status=503, json=problem))
    visit.page.goto(f"{demo_address}/viewer")

    visit.page.get_by_role("button", name="Show the sample exam").click()

    words = "Ask for fewer images or another method, or try again when the service is less busy."
    expect(visit.page.locator("#live")).to_have_text(f"Deadline exceeded. {words}")


def test_letters_act_while_slider_has_focus(page: Page) -> None:
    heat = section(page, "Heat controls")
    heat.get_by_role("slider", name="Opacity").focus()

    page.keyboard.press("h")
    page.keyboard.press("Home")

    expect(heat.get_by_role("checkbox", name="Show heat")).not_to_be_checked()
    expect(heat.get_by_role("slider", name="Opacity")).to_have_value("0")


def test_answered_question_is_told(page: Page) -> None:
    panel = section(page, "Method and layer")
    panel.get_by_role("combobox", name="Method").select_option("hires-cam")

    panel.get_by_role("button", name="Explain with this").click()

    expect(page.locator("#live")).to_have_text("Shown: HiResCAM at conv2d_2.")
    heading = page.get_by_role("heading", name="Heat of R CC: HiResCAM at conv2d_2")
    expect(heading).to_be_visible()


def test_comparison_shows_both_methods(page: Page) -> None:
    compare_with(page, "layer-cam")

    captions = page.locator(".pair figcaption")

    expect(captions).to_have_text(["R CC: Grad-CAM at conv2d_2", "R CC: LayerCAM at conv2d_2"])
    expect(page.locator(".pair canvas").first).to_be_visible()
    expect(page.locator(".figures")).to_be_hidden()
    section(page, "Comparison").get_by_role("button", name="End comparison").click()
    expect(page.locator(".figures")).to_be_visible()


def test_reduced_motion_does_not_blink(demo_address: str, browser: Browser) -> None:
    with visiting(browser, reduced_motion="reduce") as visit:
        open_sample(visit.page, demo_address)
        compare_with(visit.page, "layer-cam")
        panel = section(visit.page, "Comparison")
        panel.get_by_role("combobox", name="Show").select_option("blink")

        expect(panel.get_by_role("checkbox", name="Blink")).not_to_be_checked()
        expect(visit.page.locator(".pair figure").nth(1)).to_have_class("behind")
        visit.page.keyboard.press("b")

        expect(visit.page.locator(".pair figure").nth(0)).to_have_class("behind")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_panel_has_no_accessibility_faults(
    demo_address: str, browser: Browser, scheme: str
) -> None:
    with visiting(browser, color_scheme=scheme, bypass_csp=True) as visit:
        change_answers(visit.page, lambda exam: add_warning(exam, FAILED))
        open_sample(visit.page, demo_address)
        show_maps(visit.page)
        compare_with(visit.page, "layer-cam")
        details = visit.page.locator("#panel details")
        details.evaluate_all("all => all.forEach((one) => (one.open = true))")

        assert accessibility_faults(visit.page) == ""
