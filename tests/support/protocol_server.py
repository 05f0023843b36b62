"""The service's protocol in this process, before an application of a test."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from service.api.server import configure
from service.settings import Settings


@contextmanager
def serving(
    app: ASGIApp, settings: Settings | None = None, certificate: Path | None = None
) -> Iterator[str]:
    """Serve the application in a thread; yield the address.

    `certificate`: file with a certificate and its key, for TLS.
    """
    config = configure(app, settings or Settings())
    config.port = 0
    config.ssl_certfile = certificate
    server = uvicorn.Server(config)

    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server ended"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
