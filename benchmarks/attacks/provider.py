"""OpenID provider that answers, hangs or drips, and the tokens that it signs."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

AUDIENCE = "mammolens"
_KEY_ID = "published"
_TOKEN_SECONDS = 3600
_HANG_SECONDS = 600


class Mood(StrEnum):
    """How the provider answers."""

    ANSWERS = "answers"
    HANGS = "hangs"
    DRIPS = "drips"


class Provider(ThreadingHTTPServer):
    """Provider on a free port of this machine. `mood` may change at any time."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mood = Mood.ANSWERS
        self.stopped = threading.Event()
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def issuer(self) -> str:
        """Address of the provider."""
        return f"http://127.0.0.1:{self.server_port}"

    def pages(self) -> dict[str, Any]:
        """Return the documents by their paths."""
        jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
        discovery = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
        return {
            "/.well-known/openid-configuration": discovery,
            "/keys": {"keys": [jwk | {"kid": _KEY_ID, "use": "sig", "alg": "ES256"}]},
        }

    def token(self, key_id: str = _KEY_ID) -> str:
        """Return a token with all scopes. It is valid if `key_id` is the published one."""
        now = time.time()
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "viewer",
            "iat": now,
            "exp": now + _TOKEN_SECONDS,
            "scope": "predict explain admin",
        }
        return jwt.encode(claims, self._key, "ES256", {"kid": key_id})


class _Handler(BaseHTTPRequestHandler):
    """Handler of one connection to the provider."""

    server: Provider

    def do_GET(self) -> None:
        """Answer in the provider's mood."""
        body = json.dumps(self.server.pages()[self.path]).encode()
        if self.server.mood is Mood.HANGS:
            self.server.stopped.wait(_HANG_SECONDS)
            return

        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.mood is Mood.ANSWERS:
            self.wfile.write(body)
            return

        for byte in body:
            if self.server.stopped.wait(1):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def provider() -> Iterator[Provider]:
    """Run a provider until the block ends."""
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, name="provider")
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()
