"""The pages for browsers in Chromium, which reaches this machine alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chromium import Chromium, browsing
from tests.support.paths import SAMPLE
from tests.support.servers import running

pytestmark = pytest.mark.interop

GRADCAM = '.opblock:has([data-path="/gradcam.png"])'


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running() as started:
        yield started.address


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Chromium]:
    with browsing(tmp_path / "profile") as browser:
        yield browser


def assert_quiet(chromium: Chromium, server: str) -> None:
    assert chromium.errors == []
    assert chromium.hosts == {server.removeprefix("http://")}


def test_documentation_shows_answered_picture(server: str, chromium: Chromium) -> None:
    chromium.open(f"{server}/docs")

    chromium.click(f"{GRADCAM} .opblock-summary-control")
    chromium.click(f"{GRADCAM} .try-out__btn")
    chromium.choose_file(f"{GRADCAM} input[type=file]", SAMPLE)
    chromium.click(f"{GRADCAM} .execute")

    picture = f"document.querySelector('{GRADCAM} .live-responses-table img')"
    chromium.wait_for(f"{picture}?.complete && {picture}.naturalWidth > 0")
    assert chromium.evaluate(f"{picture}.src.slice(0, 5)") == "blob:"
    assert_quiet(chromium, server)


def test_documentation_lists_every_route(server: str, chromium: Chromium) -> None:
    chromium.open(f"{server}/docs")

    chromium.wait_for("document.querySelectorAll('.opblock').length >= 10")
    assert_quiet(chromium, server)


def test_reference_is_rendered_without_internet(server: str, chromium: Chromium) -> None:
    chromium.open(f"{server}/redoc")

    chromium.wait_for("document.querySelectorAll('[data-section-id*=operation]').length >= 10")
    assert chromium.evaluate("document.querySelector('h1').innerText").startswith("mammolens")
    assert_quiet(chromium, server)


def test_front_page_leads_to_documentation(server: str, chromium: Chromium) -> None:
    chromium.open(f"{server}/")

    chromium.wait_for("document.querySelector('.state') !== null")
    assert chromium.evaluate("document.querySelector('.state').className") == "state ready"
    chromium.wait_for("document.querySelector('header img').naturalWidth > 0")

    chromium.click('a[href="docs"]')
    chromium.wait_for("document.querySelectorAll('.opblock').length >= 10")
    assert_quiet(chromium, server)
