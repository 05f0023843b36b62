"""Fixtures of the tests in a browser."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import Visit, launching, visiting
from tests.support.made_exams import Served
from tests.support.paths import DEMO, SAMPLE
from tests.support.servers import running
from tests.support.viewer_page import open_sample


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, which is closed at the end of the module with its event loop."""
    with launching() as launched:
        yield launched


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """A page that keeps nothing of other tests."""
    with visiting(browser) as started:
        yield started


@pytest.fixture(scope="module")
def demo_address() -> Iterator[str]:
    """Address of a service with the demo model."""
    with running(MAMMOLENS_MODEL=str(DEMO)) as server:
        yield server.address


@pytest.fixture(scope="module")
def viewer(demo_address: str) -> Served:
    """Address of a service, and its answer about one image."""
    files = {"file": SAMPLE.read_bytes()}
    response = httpx.post(f"{demo_address}/exam?heat=all", files=files, timeout=60)
    return demo_address, response.json()


@pytest.fixture
def page(demo_address: str, visit: Visit) -> Iterator[Page]:
    """The viewer with the sample exam by Grad-CAM. Nothing may go wrong on it."""
    open_sample(visit.page, demo_address)
    yield visit.page
    visit.assert_quiet(demo_address)


@pytest.fixture(scope="module")
def fake_address() -> Iterator[str]:
    """Address of a service with the stand-in model."""
    with running() as server:
        yield server.address
