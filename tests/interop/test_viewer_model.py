"""Facts and figures on the page about the model. Positions in drawings are worked by hand."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.support.browser import Visit
from tests.support.model_page import CURVES, LEVEL, answer_with, answer_with_model, open_page

pytestmark = pytest.mark.interop

FLOOR = "floor_breast_auc_"


def scorecard_line(name: str, verdict: str, **facts: Any) -> dict[str, Any]:
    """Return a line of a scorecard: 0.5 (0.25 to 0.75), where at least 0.25 is asked for."""
    line = {"name": name, "verdict": verdict, "value": 0.5, "low": 0.25, "high": 0.75}
    return line | {"asked": "at least 0.25", "meaning": "A share.", "cases": 30} | facts


def numbers(text: str) -> list[float]:
    """Return the numbers of a text."""
    return [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text)]


def place(mark: Locator, *names: str) -> list[float]:
    """Return attributes of a drawn mark as numbers."""
    return [float(str(mark.get_attribute(name))) for name in names]


def test_head_shows_facts_of_model(demo_address: str, visit: Visit) -> None:
    facts = visit.page.request.get(f"{demo_address}/model").json()

    open_page(visit.page, demo_address)

    head = visit.page.locator("#head")
    expect(visit.page.locator("h1")).to_have_text("Model demo, version 1")
    for text in (facts["limitations"], facts["training"], facts["created"]):
        expect(head).to_contain_text(text)
    for text in (facts["model"]["digest"], facts["model"]["intended_use"]):
        expect(head).to_contain_text(text)
    visit.assert_quiet(demo_address)


def test_warnings_of_model_come_first(fake_address: str, visit: Visit) -> None:
    warning = {"code": "scorecard-failed", "message": "It failed a test."}
    answer_with_model(visit.page, fake_address, warnings=[warning])

    open_page(visit.page, fake_address)

    first = visit.page.locator("#head > *").first
    expect(first).to_contain_text("scorecard-failed It failed a test.")


def test_scorecard_shows_every_measured_number(demo_address: str, visit: Visit) -> None:
    scorecard = visit.page.request.get(f"{demo_address}/model/scorecard").json()

    open_page(visit.page, demo_address)

    rows = visit.page.locator('[data-part="scorecard"] tbody tr')
    expect(rows).to_have_count(len(scorecard["lines"]))
    names = rows.locator("th").all_text_contents()
    for line in scorecard["lines"]:
        cell = rows.nth(names.index(line["name"])).locator("td").nth(1)
        shown = numbers(cell.evaluate("cell => cell.firstChild.data"))
        measured = [line[name] for name in ("value", "low", "high") if line[name] is not None]
        assert shown == pytest.approx(measured, rel=0.005), line["name"]


def test_levels_show_every_measured_share(demo_address: str, visit: Visit) -> None:
    levels = visit.page.request.get(f"{demo_address}/model").json()["levels"]
    rows = [row for level in levels.values() for row in (level, *level["by_views"].values())]

    open_page(visit.page, demo_address)

    shown = visit.page.locator('[data-part="levels"] tbody tr')
    expect(shown).to_have_count(len(rows))
    for index, row in enumerate(rows):
        for cell, name in ((2, "sensitivity"), (3, "specificity")):
            text = shown.nth(index).locator("td").nth(cell)
            shares = [100 * row[name][end] for end in ("value", "low", "high")]
            words = text.evaluate("cell => cell.firstChild.data")
            assert numbers(words) == pytest.approx(shares, rel=0.005)


def test_failed_lines_of_scorecard_come_first(fake_address: str, visit: Visit) -> None:
    verdicts = {"a": "pass", "b": "informative", "c": "fail", "d": "undecided"}
    lines = [scorecard_line(name, verdict) for name, verdict in verdicts.items()]
    scorecard = {"images": 400, "created": "2026-11-26", "lines": lines}
    answer_with(visit.page, f"{fake_address}/model/scorecard", scorecard)

    open_page(visit.page, fake_address)

    part = visit.page.locator('[data-part="scorecard"]')
    expect(part.locator("tbody th")).to_have_text(["c", "d", "a", "b"])
    words = ["✕ failed", "? undecided", "✓ passed", "no requirement"]
    expect(part.locator(".verdict")).to_contain_text(words)
    sentence = (
        "Failed: c. Undecided: d. Passed 1 of 3 tests with a requirement, on 400 images "
        "(2026-11-26)."
    )
    expect(part.locator(".summary")).to_have_text(sentence)


def test_bar_of_line_lies_at_its_values(fake_address: str, visit: Visit) -> None:
    lines = [scorecard_line("share", "pass"), scorecard_line("gap", "pass", high=1.5)]
    scorecard = {"images": 400, "created": "2026-11-26", "lines": lines}
    answer_with(visit.page, f"{fake_address}/model/scorecard", scorecard)

    open_page(visit.page, fake_address)

    # The scale runs from 8 to 192: of 0 to 1, 0.25 is at 54, 0.5 at 100 and 0.75 at 146.
    strip = visit.page.locator('[data-part="scorecard"] .strip').first
    assert place(strip.locator(".bar"), "x", "width") == [8, 92]
    assert place(strip.locator(".bound"), "x1", "x2") == [54, 54]
    assert place(strip.locator(".wanted"), "x", "width") == [54, 138]
    expect(strip.locator(".interval")).to_have_attribute("d", re.compile(r"^M54 11H146M"))
    # Beyond 1 the scale runs to the next whole number: of 0 to 2, 0.5 is at 54.
    longer = visit.page.locator('[data-part="scorecard"] .strip').last
    assert place(longer.locator(".bar"), "x", "width") == [8, 46]
    expect(longer.locator("text")).to_have_text(["0", "2", "0.25"])


def test_curve_and_threshold_lie_at_their_shares(fake_address: str, visit: Visit) -> None:
    levels = {"image": LEVEL, "breast": LEVEL, "exam": LEVEL}
    answer_with_model(visit.page, fake_address, levels=levels)
    answer_with(visit.page, f"{fake_address}/model/curves", CURVES)

    open_page(visit.page, fake_address)

    # Shares across run from 44 to 296, upwards from 262 to 10: 252 pixels for 1.
    plots = visit.page.locator('[data-part="curves"] .plot')
    expect(plots).to_have_count(3)
    plot = plots.first
    curve = "M44.0 262.0L107.0 136.0L296.0 10.0"
    expect(plot.locator(".curve")).to_have_attribute("d", curve)
    assert place(plot.locator(".threshold"), "x", "y") == [103, 132]
    across, upwards = plot.locator(".interval").all()
    assert place(across, "x1", "x2", "y1") == pytest.approx([94.4, 119.6, 136])
    assert place(upwards, "y1", "y2", "x1") == pytest.approx([161.2, 110.8, 107])
    expect(plot).to_have_attribute("aria-label", re.compile(r"AUC 0\.625 \(0\.5 to 0\.75\)"))


def test_calibration_dot_lies_at_its_shares(fake_address: str, visit: Visit) -> None:
    answer_with(visit.page, f"{fake_address}/model/curves", CURVES)

    open_page(visit.page, fake_address)

    part = visit.page.locator('[data-part="calibration"]')
    assert place(part.locator(".dot"), "cx", "cy") == pytest.approx([69.2, 186.4])
    assert place(part.locator(".interval"), "y1", "y2") == pytest.approx([211.6, 161.2])
    expect(part).to_contain_text("2.0 percentage points apart")
    part.locator("summary").click()
    expect(part.locator("tbody tr")).to_have_text("10 %30 % (20 % to 40 %)40")


@pytest.mark.parametrize(
    ("low", "words"), [(0.7, "It knows more than"), (0.6, "It may know no more than")]
)
def test_floor_is_told_and_drawn(fake_address: str, visit: Visit, low: float, words: str) -> None:
    figures = {"breast_auc": 0.75, "breast_auc_low": low, "breast_auc_high": 0.8}
    floors = {f"{FLOOR}metadata": 0.5, f"{FLOOR}thumbnail": 0.65}
    answer_with_model(visit.page, fake_address, figures=figures | floors)

    open_page(visit.page, fake_address)

    # Bars begin at chance, 100. 0.75 is at 146, 0.65 at 127.6.
    part = visit.page.locator('[data-part="floor"]')
    bars = [place(bar, "x", "width") for bar in part.locator(".bar").all()]
    assert bars == [pytest.approx(one) for one in ([100, 46], [100, 0], [100, 27.6])]
    expect(part.locator(".summary")).to_contain_text(words)


def test_missing_measurements_are_told(fake_address: str, visit: Visit) -> None:
    facts: dict[str, Any] = {"levels": None, "figures": {}, "provenance": None}
    answer_with_model(visit.page, fake_address, **facts)
    answer_with(visit.page, f"{fake_address}/model/curves", {"levels": None, "calibration": None})
    problem = {"type": "urn:mammolens:no-scorecard", "title": "No scorecard", "status": 404}
    visit.page.route("**/model/scorecard", lambda route: route.fulfill(status=404, json=problem))

    open_page(visit.page, fake_address)

    told = {
        "scorecard": "There is no scorecard",
        "shortcuts": "They were not measured",
        "curves": "The bundle holds no curves",
        "levels": "does not say how its thresholds do",
        "calibration": "The bundle holds no curves",
        "floor": "does not say what the floors reach",
        "provenance": "does not say from which data",
    }
    for name, words in told.items():
        expect(visit.page.locator(f'[data-part="{name}"]')).to_contain_text(words)
    visit.assert_quiet(fake_address, expected="status of 404")


def test_provenance_shows_digests_and_counts(demo_address: str, visit: Visit) -> None:
    origin = visit.page.request.get(f"{demo_address}/model").json()["provenance"]

    open_page(visit.page, demo_address)

    part = visit.page.locator('[data-part="provenance"]')
    for text in (origin["images_sha256"], origin["commit"], origin["versions"]["numpy"]):
        expect(part).to_contain_text(text)
    test = f"test{origin['patients']['test']}{origin['images']['test']}"
    expect(part.locator("tbody tr").filter(has_text=re.compile(f"^{test}$"))).to_have_count(1)
