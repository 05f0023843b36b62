"""The viewer in Chromium with services that ask for keys, are busy, start or end."""

import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from service.access import AccessScope, add_key
from tests.support.browser import Visit
from tests.support.paths import DEMO
from tests.support.servers import Running, running
from tests.support.viewer_page import (
    SAMPLE_FILES,
    choose_files,
    open_sample,
    problem_of,
    wait_for_scores,
)

pytestmark = pytest.mark.interop

PER_MINUTE = 15  # so a caller that is over its limit waits four seconds
SLOW = {"method": "integrated-gradients", "heat": "all"}  # seven seconds on two idle cores
PATIENCE = 120


def serving_demo(slots: int = 16, waiting: int = 128) -> AbstractContextManager[Running]:
    """Run the service with the demo model and a patient deadline."""
    return running(
        MAMMOLENS_MODEL=str(DEMO),
        MAMMOLENS_DEADLINE_SECONDS=str(PATIENCE),
        MAMMOLENS_MAX_REQUESTS=str(slots),
        MAMMOLENS_MAX_WAITING=str(waiting),
    )


@contextmanager
def asking_slowly(address: str) -> Iterator[None]:
    """Ask for an exam that takes seconds, and wait for its answer at the end."""

    def ask_exam() -> httpx.Response:
        files = [("file", ("image", file.read_bytes())) for file in SAMPLE_FILES]
        return httpx.post(f"{address}/exam", params=SLOW, files=files, timeout=PATIENCE)

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask_exam)
        while not is_busy(address):
            assert not answer.done(), answer.result().text
            time.sleep(0.05)
        yield
        assert answer.result().status_code == HTTPStatus.OK


def is_busy(address: str) -> bool:
    """Return whether the service works on a request."""
    metrics = ask(address, "/metrics").text
    return re.search(r"^mammolens_in_flight\{.*\} [1-9]", metrics, re.MULTILINE) is not None


def ask(address: str, path: str) -> httpx.Response:
    """Return the answer to a GET."""
    return httpx.get(f"{address}{path}", timeout=20)


def show_sample(page: Page, address: str) -> None:
    """Ask for the sample exam, and do not wait."""
    page.goto(f"{address}/viewer")
    page.get_by_role("button", name="Show the sample exam").click()


def give_key(page: Page, key: str) -> None:
    """Type a key into the dialog that asks for it."""
    page.get_by_label("API key or access token").fill(key)
    page.get_by_role("button", name="Use the key").click()


def key_dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="API key")


def progress(page: Page) -> Locator:
    """Return the words that say what a request is doing."""
    return page.locator(".progress .words")


def test_key_is_asked_for_and_forgotten(visit: Visit, tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    key = add_key(keys, "reader", [AccessScope.EXPLAIN])

    with running(MAMMOLENS_KEYS=str(keys)) as server:
        show_sample(visit.page, server.address)
        expect(progress(visit.page)).to_have_text("Waiting for a key")
        give_key(visit.page, "not-a-key")
        expect(key_dialog(visit.page)).to_be_visible()
        give_key(visit.page, key)
        wait_for_scores(visit.page)
        assert key not in visit.page.content()

        show_sample(visit.page, server.address)
        expect(key_dialog(visit.page)).to_be_visible()
        visit.assert_quiet(server.address, expected="status of 401")


def test_cancelled_key_dialog_leaves_the_files(visit: Visit, tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    key = add_key(keys, "reader", [AccessScope.EXPLAIN])

    with running(MAMMOLENS_KEYS=str(keys)) as server:
        show_sample(visit.page, server.address)
        key_dialog(visit.page).get_by_role("button", name="Cancel").click()
        expect(problem_of(visit.page)).to_be_visible()

        visit.page.get_by_role("button", name="Ask again").click()
        give_key(visit.page, key)
        wait_for_scores(visit.page)


def test_key_without_scope_asks_for_another(visit: Visit, tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    key = add_key(keys, "reader", [AccessScope.PREDICT])

    with running(MAMMOLENS_KEYS=str(keys)) as server:
        show_sample(visit.page, server.address)
        give_key(visit.page, key)
        expect(key_dialog(visit.page)).to_contain_text("lacks the scope 'explain'")
        visit.page.keyboard.press("Escape")

        expect(problem_of(visit.page)).to_contain_text("lacks the scope 'explain'")
        visit.assert_quiet(server.address, expected="status of 40")


def test_rate_limit_is_waited_for(visit: Visit) -> None:
    with running(MAMMOLENS_RATE_PER_MINUTE=str(PER_MINUTE)) as server:
        visit.page.goto(f"{server.address}/viewer", wait_until="networkidle")
        while ask(server.address, "/model").status_code != HTTPStatus.TOO_MANY_REQUESTS:
            pass

        visit.page.get_by_role("button", name="Show the sample exam").click()

        expect(progress(visit.page)).to_contain_text("Too many requests")
        wait_for_scores(visit.page)
        visit.assert_quiet(server.address, expected="status of 429")


def test_busy_service_is_waited_for(visit: Visit) -> None:
    with serving_demo(slots=2, waiting=0) as server:
        with asking_slowly(server.address):
            show_sample(visit.page, server.address)

            expect(progress(visit.page)).to_contain_text("The service is busy")
        wait_for_scores(visit.page)
        visit.assert_quiet(server.address, expected="status of 429")


def test_loading_model_is_waited_for(visit: Visit) -> None:
    with running(MAMMOLENS_MODEL=str(DEMO), until="/livez") as server:
        sent: list[str] = []
        visit.page.on("request", lambda request: sent.append(request.method))
        show_sample(visit.page, server.address)

        expect(progress(visit.page)).to_contain_text("still loading its model")
        wait_for_scores(visit.page)
        expect(visit.page.locator("#model")).to_have_text("demo, version 1")
        assert sent.count("POST") == 2  # refused at first, and once when the model is loaded
        visit.assert_quiet(server.address, expected="status of 503")


def test_draining_service_answers_running_exam(visit: Visit) -> None:
    with serving_demo() as server, asking_slowly(server.address):
        show_sample(visit.page, server.address)
        expect(progress(visit.page)).to_have_text("Computing")

        server.process.send_signal(signal.SIGTERM)

        wait_for_scores(visit.page)
        visit.assert_quiet(server.address, expected="status of 503")


def test_draining_service_is_told(visit: Visit) -> None:
    with serving_demo() as server:
        open_sample(visit.page, server.address)
        with asking_slowly(server.address):
            server.process.send_signal(signal.SIGTERM)

            choose_files(visit.page, SAMPLE_FILES[:1])

            expect(problem_of(visit.page)).to_contain_text("shutting down")
            wait_for_scores(visit.page)
            visit.assert_quiet(server.address, expected="status of 503")
