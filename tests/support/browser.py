"""Chromium, driven by Playwright: visits that note all that a page does wrong."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    expect,
    sync_playwright,
)

SOFTWARE_WEBGL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
SECONDS = 30  # that a page may take for anything on a busy machine

_NOTE_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
  noteViolation(`${event.violatedDirective}: ${event.blockedURI}`));"""


@dataclass
class Visit:
    """A page in a browser without history, and all that the page did wrong.

    `errors`: errors and warnings of the console, exceptions that no script caught, and violations
    of the page's policy. `exceptions`: the exceptions alone. `hosts`: those that were asked, or
    would have been.
    """

    context: BrowserContext
    page: Page
    errors: list[str] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def assert_quiet(self, address: str, *, expected: str | None = None) -> None:
        """Check that nothing went wrong, and that the server at the address alone was asked.

        `expected`: part of the errors that belong to the test, such as "status of 401".
        """
        unexpected = [one for one in self.errors if expected is None or expected not in one]
        assert unexpected == [], unexpected
        assert self.hosts == {urlsplit(address).netloc}


@contextmanager
def launching(*, webgl: bool = False) -> Iterator[Browser]:
    """Run Chromium, which reaches this machine alone. `webgl`: drawn without a GPU.

    While it runs, this thread has a running event loop, so `asyncio.run` fails in it.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "chromium is missing: run requirements/outside"
    options = [
        "--no-sandbox",  # it cannot be had as root, and only own pages are loaded
        *(SOFTWARE_WEBGL if webgl else ("--disable-gpu",)),
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ]
    expect.set_options(timeout=1000 * SECONDS)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visiting(browser: Browser, **options: Any) -> Iterator[Visit]:
    """Make a page in a context of its own, which keeps nothing of other visits.

    `options`: those of Playwright's `Browser.new_context`, such as `color_scheme` or `viewport`.
    """
    context = browser.new_context(**{"viewport": {"width": 1500, "height": 950}, **options})
    context.set_default_timeout(1000 * SECONDS)
    try:
        visit = Visit(context, context.new_page())
        _note(visit)
        yield visit
    finally:
        context.close()


def accessibility_faults(page: Page) -> str:
    """Return the report of axe about the page as it is shown; "" if it finds no violation."""
    results = Axe().run(page)
    return results.generate_report() if results.violations_count else ""


def _note(visit: Visit) -> None:
    """Make the visit note what its page does."""

    def note_message(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            visit.errors.append(message.text)

    def note_exception(error: Error) -> None:
        visit.errors.append(error.stack or str(error))
        visit.exceptions.append(str(error))

    def note_request(request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in {"data", "blob", "about"}:
            visit.hosts.add(url.netloc)

    def note_violation(_source: Any, violation: str) -> None:
        visit.errors.append(violation)

    visit.page.on("console", note_message)
    visit.page.on("pageerror", note_exception)
    visit.page.on("request", note_request)
    visit.context.expose_binding("noteViolation", note_violation)
    visit.context.add_init_script(_NOTE_VIOLATIONS)
