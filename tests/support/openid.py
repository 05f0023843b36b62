"""An OpenID provider on a socket of this machine, also a sick one."""

import contextlib
import json
import threading
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Behaviour(Enum):
    """How the provider treats requests."""

    ANSWER = auto()
    CLOSE = auto()  # the connection, without an answer
    HANG = auto()
    DRIP = auto()  # one byte a second
    FLOOD = auto()  # a body without end
    REDIRECT = auto()


class OpenIdProvider:
    """Provider of two documents: the discovery document and the key set."""

    def __init__(self) -> None:
        self.keys: Any = []
        self.behaviour = Behaviour.ANSWER
        self.fetched: list[str] = []
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.document = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.fetched.append(self.path)
                with contextlib.suppress(ConnectionError):
                    provider._treat(self)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _treat(self, request: BaseHTTPRequestHandler) -> None:
        if self.behaviour is Behaviour.CLOSE:
            return
        if self.behaviour is Behaviour.HANG:
            self._closing.wait()
            return

        is_discovery = request.path.endswith("/.well-known/openid-configuration")
        body = json.dumps(self.document if is_discovery else {"keys": self.keys}).encode()
        moved = self.behaviour is Behaviour.REDIRECT
        request.send_response(302 if moved else 200)
        if moved:
            request.send_header("Location", "/elsewhere")
        request.end_headers()

        if self.behaviour is Behaviour.DRIP:
            for byte in body:
                request.wfile.write(bytes([byte]))
                if self._closing.wait(1):
                    return
        while self.behaviour is Behaviour.FLOOD and not self._closing.is_set():
            request.wfile.write(b" " * 65_536)
        request.wfile.write(body)
