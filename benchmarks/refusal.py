"""Measure the processor time of a refusal in the application: POST /predict while it is overloaded.

    python -m benchmarks.refusal [--profile]

The figure holds everything from the middleware to the log line. Parsing of HTTP and the socket come
on top. The model is the stand-in: nothing is computed.
"""

import argparse
import asyncio
import cProfile
import logging
import pstats
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from http import HTTPStatus
from io import StringIO

from starlette.types import Message, Scope

from service.api.app import create_app
from service.api.application import MammolensApp
from service.errors import Unavailable
from service.observability import logs
from service.runtime.engine import Engine, Lane
from service.settings import FAKE, Settings

_ROUNDS = 9
_CALLS = 200
_LINES = 40  # of the profile


def main() -> None:
    """Print the milliseconds of a core per refusal, the least of nine rounds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--profile", action="store_true", help="print where the time goes, too")
    options = parser.parse_args()

    logs.configure()
    # The line is formatted as ever, but not shown.
    for handler in logging.getLogger().handlers:
        assert isinstance(handler, logging.StreamHandler)  # noqa: S101 - of logs.configure
        handler.setStream(StringIO())

    profile = cProfile.Profile() if options.profile else None
    milliseconds = asyncio.run(_measure(profile))
    print(f"{milliseconds:.2f} ms of a core per refusal")
    if profile is not None:
        pstats.Stats(profile).sort_stats("cumtime").print_stats(_LINES)


async def _measure(profile: cProfile.Profile | None) -> float:
    app = create_app(Settings(model=FAKE, max_requests=2, max_waiting=0))
    async with app.router.lifespan_context(app):
        await _until_ready(app.parts.engine)
        stays = asyncio.get_running_loop().create_future()

        async with app.parts.engine.lanes[Lane.PREDICT].admit(60, stays):
            await _seconds_per_call(lambda: _refused(app))
            with profile or nullcontext():
                rounds = [await _seconds_per_call(lambda: _refused(app)) for _ in range(_ROUNDS)]
    return min(rounds) * 1e3


async def _until_ready(engine: Engine) -> None:
    while True:
        try:
            engine.require_model()
        except Unavailable:
            await asyncio.sleep(0.05)
        else:
            return


async def _seconds_per_call(call: Callable[[], Awaitable[None]]) -> float:
    start = time.process_time()
    for _ in range(_CALLS):
        await call()
    return (time.process_time() - start) / _CALLS


async def _refused(app: MammolensApp) -> None:
    """Send a request whose body is not read.

    Raises:
        RuntimeError: it is not refused.
    """
    statuses: list[int] = []

    async def receive() -> Message:
        raise RuntimeError("the body is read")

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(_scope(), receive, send)
    if statuses != [HTTPStatus.TOO_MANY_REQUESTS]:
        raise RuntimeError(f"not refused: {statuses}")


def _scope() -> Scope:
    headers = {
        b"host": b"127.0.0.1",
        b"content-type": b"application/dicom",
        b"content-length": b"450102",
        b"request-timeout": b"1",
    }
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/predict",
        "raw_path": b"/predict",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": list(headers.items()),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


if __name__ == "__main__":
    main()
