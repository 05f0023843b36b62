"""Chromium without a window, driven over a pipe (Chrome DevTools Protocol)."""

import base64
import fcntl
import json
import os
import selectors
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_FIRST_FREE = 10  # Chromium reads descriptor 3 and writes 4
_SECONDS = 60

SOFTWARE_WEBGL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


class Chromium:
    """A browser with one page. It reaches nothing but this machine.

    `errors`: what its console reported. `exceptions`: those that no script caught. `hosts`: those
    that were asked, or would have been.
    """

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._selector = selectors.DefaultSelector()
        self._selector.register(answers, selectors.EVENT_READ)
        self._unread = b""
        self._number = 0
        self._session: str | None = None
        self.errors: list[str] = []
        self.exceptions: list[str] = []
        self.hosts: set[str] = set()

    def open(self, url: str) -> None:
        """Open a new page and load the address."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

        for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
            self.call(f"{domain}.enable")
        view = {"width": 1400, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **view)
        self.call("Page.navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Wait until the JavaScript expression is true."""
        deadline = time.monotonic() + _SECONDS
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, f"not in {_SECONDS} s: {expression}"
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        """Click the element, once it is there."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.wait_for(f"{element} !== null")
        self.evaluate(f"{element}.click()")

    def choose_file(self, selector: str, path: Path) -> None:
        """Choose a file in an input, once it is there."""
        self.wait_for(f"document.querySelector({json.dumps(selector)}) !== null")
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def double_click(self, selector: str) -> None:
        """Click twice on the middle of the element with the mouse, once it is there."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.wait_for(f"{element} !== null")
        self.evaluate(f"{element}.scrollIntoView({{block: 'center'}})")
        box = self.evaluate(f"{element}.getBoundingClientRect().toJSON()")
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}

        for count in (1, 2):
            for kind in ("mousePressed", "mouseReleased"):
                event = {"type": kind, "button": "left", "clickCount": count, **place}
                self.call("Input.dispatchMouseEvent", **event)

    def screenshot(self, *, whole: bool = False) -> bytes:
        """Return a picture of the page as PNG."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(answer["data"])

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None and not method.startswith("Target."):
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")

        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self._note(answer.get("method", ""), answer.get("params", {}))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            assert self._selector.select(_SECONDS), "Chromium does not answer"
            chunk = os.read(self._answers, 1 << 20)
            assert chunk, "Chromium has ended"
            self._unread += chunk

        message, _, self._unread = self._unread.partition(b"\0")
        return dict(json.loads(message))

    def _note(self, event: str, facts: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            url = urlsplit(facts["request"]["url"])
            if url.scheme not in {"data", "blob", "about"}:
                self.hosts.add(url.netloc)
        elif event == "Runtime.exceptionThrown":
            self.errors.append(str(facts["exceptionDetails"]))
            self.exceptions.append(str(facts["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and facts["type"] in {"error", "warning"}:
            self.errors.append(str(facts["args"]))
        elif event == "Log.entryAdded" and facts["entry"]["level"] in {"error", "warning"}:
            self.errors.append(facts["entry"]["text"])


@contextmanager
def browsing(profile: Path, *, webgl: bool = False) -> Iterator[Chromium]:
    """Run Chromium with an empty profile; end it at the end. `webgl`: drawn without a GPU."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "chromium is missing: run requirements/outside"

    theirs_in, ours_out = _pipe()
    ours_in, theirs_out = _pipe()
    options = (
        "--headless=new",
        "--no-sandbox",  # it cannot be had as root, and only own pages are loaded
        *(SOFTWARE_WEBGL if webgl else ("--disable-gpu",)),
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        f"--user-data-dir={profile}",
        "--remote-debugging-pipe",
        "about:blank",
    )
    redirect = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'

    with subprocess.Popen(
        ["/bin/bash", "-c", redirect, "bash", program, *options],
        pass_fds=(theirs_in, theirs_out),
        stderr=subprocess.DEVNULL,
    ) as process:
        for descriptor in (theirs_in, theirs_out):
            os.close(descriptor)
        try:
            yield Chromium(ours_out, ours_in)
        finally:
            process.terminate()
            process.wait(timeout=20)
            for descriptor in (ours_in, ours_out):
                os.close(descriptor)


def _pipe() -> tuple[int, int]:
    """Return a pipe whose descriptors are none of those that Chromium expects."""
    low = os.pipe()
    reading, writing = (fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE) for one in low)
    for descriptor in low:
        os.close(descriptor)
    return reading, writing
