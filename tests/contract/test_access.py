"""Who is let in: keys and tokens at the door of every route, with a real provider of tokens."""

import base64
import hmac
import json
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import HttpUrl

from service.access import AccessScope, add_key, revoke_key
from service.api.app import create_app
from service.settings import FAKE, Settings
from tests.support.clients import until_ready
from tests.support.servers import running

OPEN = {"/livez", "/readyz"}
AUDIENCE = "mammolens"


class Provider:
    """An OpenID provider with one published key, and one that it has not."""

    def __init__(self) -> None:
        self.key, self.other = (rsa.generate_private_key(65537, 2048) for _ in range(2))
        self.fetched: list[str] = []
        self.moved: set[str] = set()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.fetched.append(self.path)
                body = json.dumps(provider.pages()[self.path]).encode()
                self.send_response(302 if self.path in provider.moved else 200)
                self.send_header("Location", "/keys")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pages(self) -> dict[str, Any]:
        published = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key())) | {
            "kid": "one",
            "use": "sig",
        }
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.issuer,
                "jwks_uri": f"{self.issuer}/keys",
            },
            "/keys": {"keys": [published]},
            "/old-keys": {},
        }

    def token(
        self, key: Any = None, algorithm: str = "RS256", kid: str = "one", **changed: Any
    ) -> str:
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "jane",
            "exp": time.time() + 60,
            "scope": "openid predict explain admin",
        } | changed
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.key if key is None else key, algorithm, headers={"kid": kid})


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    found = Provider()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access") / "keys.toml"


@pytest.fixture(scope="module")
def app(provider: Provider, keys: Path) -> FastAPI:
    add_key(keys, "nobody", [])
    return create_app(
        Settings(model=FAKE, keys=keys, oidc_issuer=provider.issuer, oidc_audience=AUDIENCE)
    )


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as connected:
        until_ready(connected)
        yield connected


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Every route that is not open, with its method."""
    paths = app.openapi()["paths"]
    found = [
        (method.upper(), path.replace("{layer}", "conv2d"))
        for path, methods in paths.items()
        for method in methods
        if path not in OPEN
    ]
    assert len(found) >= 8
    return found


def ask(
    client: TestClient, method: str, path: str, credential: str | None, data: bytes = b"x"
) -> Any:
    headers = {"content-type": "image/png"} | (
        {"authorization": f"Bearer {credential}"} if credential else {}
    )
    return client.request(method, path, content=data, headers=headers)


def forged(provider: Provider, public: bytes) -> str:
    """A token whose signature is a hash keyed with the public key; no library makes one any more."""
    _, claims, _ = provider.token().split(".")
    head = (
        base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one","typ":"JWT"}').rstrip(b"=").decode()
    )
    signature = hmac.digest(public, f"{head}.{claims}".encode(), "sha256")
    return f"{head}.{claims}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def bad_tokens(provider: Provider) -> dict[str, str]:
    public = provider.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return {
        "expired": provider.token(exp=time.time() - 5),
        "not yet valid": provider.token(nbf=time.time() + 60),
        "wrong audience": provider.token(aud="another"),
        "wrong issuer": provider.token(iss="https://elsewhere.example"),
        "wrong signature": provider.token(key=provider.other),
        "unknown key": provider.token(key=provider.other, kid="two"),
        "alg none": provider.token(key="", algorithm="none"),
        "HS256 with the public key": forged(provider, public),
        "no expiry": provider.token(exp=None),
        "no subject": provider.token(sub=None),
        "garbage": "a.b.c",
        "brackets": base64.urlsafe_b64encode(b"[" * 9000).decode() + ".b.c",
        "unknown API key": "mammolens_" + "a" * 43,
    }


def test_no_route_but_the_health_checks_answers_without_a_key(
    app: FastAPI, client: TestClient
) -> None:
    for method, path in routes(app):
        answer = ask(client, method, path, None)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["type"] == "urn:mammolens:unauthenticated"
    assert client.get("/livez").status_code == 200


def test_a_token_or_key_that_is_not_valid_is_refused_on_every_route(
    app: FastAPI, client: TestClient, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for kind, token in bad_tokens(provider).items():
        for method, path in routes(app):
            answer = ask(client, method, path, token)
            assert answer.status_code == 401, (kind, path)
            assert token not in answer.text
        assert token not in caplog.text
    assert provider.fetched.count("/keys") <= 2  # made-up keys are not looked for each time


@pytest.mark.parametrize(
    ("scope", "reached"),
    [
        ("predict", {"/predict"}),
        ("explain", {"/activations/conv2d", "/gradcam"}),
        ("admin", {"/model/reload"}),
        ("openid", set()),
    ],
)
def test_a_scope_opens_its_own_routes_and_no_others(
    app: FastAPI, client: TestClient, provider: Provider, keys: Path, scope: str, reached: set[str]
) -> None:
    key = add_key(keys, f"key-{scope}", [AccessScope(scope)] if scope != "openid" else [])
    for credential in (provider.token(scope=scope), provider.token(scope=None, scp=[scope]), key):
        for method, path in routes(app):
            allowed = method == "GET" or path in reached
            assert (ask(client, method, path, credential).status_code == 403) is not allowed, path


def test_a_good_token_and_a_good_key_get_their_prediction_and_a_revoked_key_none(
    client: TestClient, provider: Provider, keys: Path, mammogram_png: bytes
) -> None:
    key = add_key(keys, "viewer", [AccessScope.PREDICT])
    for credential in (provider.token(), key):
        assert ask(client, "POST", "/predict", credential, mammogram_png).status_code == 200
    revoke_key(keys, "viewer")
    assert ask(client, "POST", "/predict", key, mammogram_png).status_code == 401


def test_who_asked_stands_in_the_log_by_name(
    client: TestClient, keys: Path, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    key = add_key(keys, "archive", [])
    ask(client, "GET", "/model", key)
    ask(client, "GET", "/model", provider.token())
    assert "key:archive" in caplog.text
    assert "oidc:jane" in caplog.text
    assert key not in caplog.text


def test_where_the_keys_cannot_be_had_nobody_is_let_in_and_nobody_is_blamed(
    provider: Provider,
) -> None:
    settings = Settings(model=FAKE, oidc_issuer="http://127.0.0.1:1", oidc_audience=AUDIENCE)
    answer = ask(TestClient(create_app(settings)), "POST", "/predict", provider.token())
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:mammolens:keys-unavailable")


def test_a_provider_cannot_be_moved_by_a_redirect(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "moved", {"/old-keys"})
    monkeypatch.setattr(provider, "fetched", [])
    jwks = HttpUrl(f"{provider.issuer}/old-keys")
    settings = Settings(
        model=FAKE, oidc_issuer=provider.issuer, oidc_audience=AUDIENCE, oidc_jwks=jwks
    )
    answer = ask(TestClient(create_app(settings)), "POST", "/predict", provider.token())
    assert answer.json()["type"] == "urn:mammolens:keys-unavailable"
    assert provider.fetched == ["/old-keys"]


def test_a_caller_that_asks_too_often_is_told_when_to_come_back() -> None:
    limited = TestClient(create_app(Settings(model=FAKE, rate_per_minute=2)))
    statuses = [limited.get("/model").status_code for _ in range(3)]
    assert statuses == [503, 503, 429]
    assert limited.get("/model").headers["retry-after"] == "30"
    assert limited.get("/livez").status_code == 200


def test_who_need_not_say_who_they_are_may_change_the_model_only_from_this_machine() -> None:
    for host, status in (("127.0.0.1", 503), ("0.0.0.0", 403)):  # noqa: S104 - nothing is bound
        anonymous = TestClient(create_app(Settings(model=FAKE, host=host, allow_anonymous=True)))
        assert ask(anonymous, "POST", "/model/reload", None).status_code == status
        assert ask(anonymous, "POST", "/predict", None).json()["type"] == "urn:mammolens:not-ready"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/model"), ("POST", "/model/reload"), ("POST", "/predict")]
)
def test_a_request_is_counted_once_whatever_its_route(method: str, path: str) -> None:
    limited = TestClient(create_app(Settings(model=FAKE, rate_per_minute=2)))
    statuses = [ask(limited, method, path, None).status_code for _ in range(3)]
    assert statuses == [503, 503, 429]


def test_every_answer_has_the_security_headers(client: TestClient, provider: Provider) -> None:
    answers = [
        client.get("/livez"),
        client.get("/none"),
        ask(client, "POST", "/predict", provider.token()),
    ]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-request-id"]


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_pages_of_the_documentation_may_load_what_they_name_and_nothing_else(
    client: TestClient, page: str
) -> None:
    answer = client.get(page)
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    loaded = re.findall(
        r"<(script|link|img)\b[^>]*?(?:src|href)=\"(https://[^\"/]+)/[^\"]*\"", answer.text
    )
    assert {element for element, _ in loaded} >= {"script", "link"}
    sources = " ".join(policy.values()).split()
    for element, origin in loaded:
        allowed = policy["script-src"].split() if element == "script" else sources
        assert origin in allowed or "https:" in allowed, origin
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_nothing_of_a_key_or_token_stands_in_the_metrics(
    client: TestClient, provider: Provider, keys: Path
) -> None:
    credentials = [
        provider.token(),
        provider.token(sub="john"),
        add_key(keys, "counted", []),
        "mammolens_made-up",
    ]
    for credential in credentials:
        ask(client, "GET", "/model", credential)
    exposed = ask(client, "GET", "/metrics", credentials[0]).text
    assert 'route="/model"' in exposed
    for private in (*credentials, "john", "counted"):
        assert private not in exposed


def test_a_caller_without_a_key_is_answered_before_any_of_the_body_has_come(keys: Path) -> None:
    add_key(keys, "started", [])
    with running(MAMMOLENS_KEYS=str(keys)) as server:
        port = int(server.address.rpartition(":")[2])
        for path in ("/predict", "/gradcam", "/activations/conv2d"):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 1000000\r\n\r\n"
                connection.sendall(head.encode())
                assert connection.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_a_listed_origin_may_call_from_a_browser_and_no_other() -> None:
    origins = TestClient(
        create_app(Settings(model=FAKE, cors_origins="https://viewer.example, https://b.example"))
    )
    preflight = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    allowed = origins.options("/predict", headers=preflight | {"origin": "https://viewer.example"})
    assert allowed.headers["access-control-allow-origin"] == "https://viewer.example"
    refused = origins.options("/predict", headers=preflight | {"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in refused.headers
    answer = origins.get("/livez", headers={"origin": "https://b.example"})
    assert "Mammolens-Warnings" in answer.headers["access-control-expose-headers"]
