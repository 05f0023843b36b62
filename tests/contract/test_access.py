"""Authentication and authorisation on every route: API keys and tokens of an OpenID provider."""

import base64
import hmac
import json
import logging
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
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
from tests.support.openid import Behaviour, OpenIdProvider
from tests.support.servers import Running, running

OPEN = {"/livez", "/readyz", "/v2/health/live", "/v2/health/ready"}
FETCH_AT_ONCE = """
import sys
from service.access import provider_keys
from service.cli import main
provider_keys._MIN_FETCH_INTERVAL_SECONDS = 0
sys.exit(main([]))
"""
"""The service, but that it asks the provider for every unknown key."""
AUDIENCE = "mammolens"


class Provider(OpenIdProvider):
    """An OpenID provider with one published key and one unpublished key."""

    def __init__(self) -> None:
        super().__init__()
        self.key = rsa.generate_private_key(65537, 2048)
        self.other = rsa.generate_private_key(65537, 2048)
        jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        self.keys = [jwk | {"kid": "one", "use": "sig"}]

    def token(
        self, key: Any = None, algorithm: str = "RS256", kid: str = "one", **changed: Any
    ) -> str:
        """Return a signed token. `changed`: claims to change, or to leave out if None."""
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
    with Provider() as started:
        yield started


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


def protected_routes(app: FastAPI) -> list[tuple[str, str]]:
    """Return method and path of every route except the open ones."""
    paths = app.openapi()["paths"]
    routes = [
        (method.upper(), path.format(layer="conv2d", object="sc", name="fake", version="1"))
        for path, methods in paths.items()
        for method in methods
        if path not in OPEN
    ]

    assert len(routes) >= 8
    return routes


def call(
    client: TestClient, method: str, path: str, credential: str | None, data: bytes = b"x"
) -> Any:
    """Send a request with this key or token."""
    headers = {"content-type": "image/png"}
    if credential:
        headers["authorization"] = f"Bearer {credential}"
    return client.request(method, path, content=data, headers=headers)


def ask(server: Running, method: str, path: str, credential: str) -> tuple[int, float]:
    """Send a request to a running server. Return the status and the seconds that it took."""
    headers = {"Authorization": f"Bearer {credential}"}
    start = time.perf_counter()
    answer = httpx.request(method, f"{server.address}{path}", headers=headers, timeout=30)
    return answer.status_code, time.perf_counter() - start


def base64url(data: bytes) -> str:
    """Encode without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forge_token(provider: Provider, public: bytes) -> str:
    """Return a token whose signature is an HMAC keyed with the public key.

    It is made by hand because libraries refuse to make one.
    """
    _, claims, _ = provider.token().split(".")
    head = base64url(b'{"alg":"HS256","kid":"one","typ":"JWT"}')
    signature = hmac.digest(public, f"{head}.{claims}".encode(), "sha256")
    return f"{head}.{claims}.{base64url(signature)}"


def bad_credentials(provider: Provider) -> dict[str, str]:
    """Return invalid tokens and keys, keyed by their fault."""
    public = provider.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return {
        "expired": provider.token(exp=time.time() - 40),
        "not yet valid": provider.token(nbf=time.time() + 60),
        "wrong audience": provider.token(aud="another"),
        "wrong issuer": provider.token(iss="https://elsewhere.example"),
        "wrong signature": provider.token(key=provider.other),
        "unknown key": provider.token(key=provider.other, kid="two"),
        "alg none": provider.token(key="", algorithm="none"),
        "HS256 with the public key": forge_token(provider, public),
        "no expiry": provider.token(exp=None),
        "no subject": provider.token(sub=None),
        "ID token": provider.token(nonce="n"),
        "garbage": "a.b.c",
        "brackets": base64.urlsafe_b64encode(b"[" * 9000).decode() + ".b.c",
        "unknown API key": "mammolens_" + "a" * 43,
    }


def test_only_health_checks_answer_without_a_key(app: FastAPI, client: TestClient) -> None:
    for method, path in protected_routes(app):
        answer = call(client, method, path, None)

        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"
        if not path.startswith("/v2"):
            assert answer.json()["type"] == "urn:mammolens:unauthenticated"

    assert client.get("/livez").status_code == 200
    assert client.get("/v2/health/live").status_code == 200


def test_invalid_credentials_are_refused_on_every_route(
    app: FastAPI, client: TestClient, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    for fault, credential in bad_credentials(provider).items():
        for method, path in protected_routes(app):
            answer = call(client, method, path, credential)
            assert answer.status_code == 401, (fault, path)
            assert credential not in answer.text
        assert credential not in caplog.text

    # The provider is not queried again for each unknown key.
    assert provider.fetched.count("/keys") <= 2


@pytest.mark.parametrize(
    ("scope", "reached"),
    [
        ("predict", {"/predict", "/v2/models/fake/infer", "/v2/models/fake/versions/1/infer"}),
        (
            "explain",
            {
                f"{route}{suffix}"
                for route in ("/activations/conv2d", "/gradcam")
                for suffix in ("", ".png", ".jpeg", ".webp")
            }
            | {"/exam", "/exam/dicom", "/exam/pixels", "/gradcam/sc.dcm"},
        ),
        ("admin", {"/model/reload"}),
        ("openid", set()),
    ],
)
def test_scope_opens_only_its_own_routes(
    app: FastAPI, client: TestClient, provider: Provider, keys: Path, scope: str, reached: set[str]
) -> None:
    key = add_key(keys, f"key-{scope}", [AccessScope(scope)] if scope != "openid" else [])
    token = provider.token(scope=scope)
    token_with_scp = provider.token(scope=None, scp=[scope])

    for credential in (token, token_with_scp, key):
        for method, path in protected_routes(app):
            allowed = method == "GET" or path in reached
            status = call(client, method, path, credential).status_code
            assert (status == 403) is not allowed, path


def test_valid_credentials_predict_until_revoked(
    client: TestClient, provider: Provider, keys: Path, mammogram_png: bytes
) -> None:
    key = add_key(keys, "viewer", [AccessScope.PREDICT])

    for credential in (provider.token(), key):
        assert call(client, "POST", "/predict", credential, mammogram_png).status_code == 200

    revoke_key(keys, "viewer")
    assert call(client, "POST", "/predict", key, mammogram_png).status_code == 401


def test_log_names_the_caller(
    client: TestClient, keys: Path, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    key = add_key(keys, "archive", [])

    call(client, "GET", "/model", key)
    call(client, "GET", "/model", provider.token())

    assert "key:archive" in caplog.text
    assert "oidc:jane" in caplog.text
    assert key not in caplog.text


def test_unreachable_provider_is_503(provider: Provider) -> None:
    """Without the provider's keys no token is accepted, but no caller gets a 401."""
    settings = Settings(model=FAKE, oidc_issuer="http://127.0.0.1:1", oidc_audience=AUDIENCE)

    answer = call(TestClient(create_app(settings)), "POST", "/predict", provider.token())

    assert (answer.status_code, answer.json()["type"]) == (503, "urn:mammolens:keys-unavailable")


def test_redirect_of_the_key_url_is_not_followed(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "behaviour", Behaviour.REDIRECT)
    monkeypatch.setattr(provider, "fetched", [])
    jwks = HttpUrl(f"{provider.issuer}/old-keys")
    settings = Settings(
        model=FAKE, oidc_issuer=provider.issuer, oidc_audience=AUDIENCE, oidc_jwks=jwks
    )

    answer = call(TestClient(create_app(settings)), "POST", "/predict", provider.token())

    assert answer.json()["type"] == "urn:mammolens:keys-unavailable"
    assert provider.fetched == ["/old-keys"]


@pytest.mark.parametrize("behaviour", [Behaviour.HANG, Behaviour.DRIP])
def test_sick_provider_stalls_neither_callers_nor_shutdown(
    keys: Path, behaviour: Behaviour
) -> None:
    """Cached tokens and API keys are served, and the process ends while a call waits."""
    key = add_key(keys, f"admin-{behaviour.name}", [AccessScope.ADMIN])

    with Provider() as sick, ThreadPoolExecutor() as pool:
        token = sick.token()
        unknown = sick.token(key=sick.other, kid="two")
        with running(
            wrapper=(sys.executable, "-c", FETCH_AT_ONCE),
            MAMMOLENS_KEYS=str(keys),
            MAMMOLENS_OIDC_ISSUER=sick.issuer,
            MAMMOLENS_OIDC_AUDIENCE=AUDIENCE,
        ) as server:
            assert ask(server, "GET", "/model", token)[0] == 200
            sick.behaviour = behaviour
            waiting = pool.submit(ask, server, "GET", "/model", unknown)
            time.sleep(0.3)

            for method, path, credential in (
                ("GET", "/model", token),
                ("GET", "/model", key),
                ("POST", "/model/reload", key),
            ):
                status, seconds = ask(server, method, path, credential)
                assert (status, seconds < 2) == (200, True), path

            start = time.perf_counter()
            server.process.terminate()
            server.process.wait(timeout=40)
            assert time.perf_counter() - start < 10
        assert waiting.exception() or waiting.result()[0] == 503


def test_rate_limit_gives_a_retry_after() -> None:
    limited = TestClient(create_app(Settings(model=FAKE, rate_per_minute=2)))

    statuses = [limited.get("/model").status_code for _ in range(3)]

    assert statuses == [503, 503, 429]
    assert limited.get("/model").headers["retry-after"] == "30"
    assert limited.get("/livez").status_code == 200


def test_anonymous_callers_reload_only_on_loopback() -> None:
    for host, status in (("127.0.0.1", 503), ("0.0.0.0", 403)):  # noqa: S104 - nothing is bound
        settings = Settings(model=FAKE, host=host, allow_anonymous=True)
        anonymous = TestClient(create_app(settings))

        assert call(anonymous, "POST", "/model/reload", None).status_code == status
        assert call(anonymous, "POST", "/predict", None).json()["type"] == "urn:mammolens:not-ready"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/model"), ("POST", "/model/reload"), ("POST", "/predict")]
)
def test_rate_limit_counts_a_request_once(method: str, path: str) -> None:
    limited = TestClient(create_app(Settings(model=FAKE, rate_per_minute=2)))

    statuses = [call(limited, method, path, None).status_code for _ in range(3)]

    assert statuses == [503, 503, 429]


def test_answers_have_the_security_headers(client: TestClient, provider: Provider) -> None:
    answers = [
        client.get("/livez"),
        client.get("/none"),
        call(client, "POST", "/predict", provider.token()),
    ]

    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-request-id"]


def test_metrics_hold_no_key_token_or_caller(
    client: TestClient, provider: Provider, keys: Path
) -> None:
    credentials = [
        provider.token(),
        provider.token(sub="john"),
        add_key(keys, "counted", []),
        "mammolens_made-up",
    ]
    for credential in credentials:
        call(client, "GET", "/model", credential)

    exposed = call(client, "GET", "/metrics", credentials[0]).text

    assert 'route="/model"' in exposed
    for private in (*credentials, "john", "counted"):
        assert private not in exposed


def test_missing_key_is_refused_before_the_body(keys: Path) -> None:
    add_key(keys, "started", [])

    with running(MAMMOLENS_KEYS=str(keys)) as server:
        port = int(server.address.rpartition(":")[2])
        for path in ("/predict", "/gradcam", "/activations/conv2d"):
            head = (
                f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n"
                "Content-Length: 1000000\r\n\r\n"
            )
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(head.encode())
                assert connection.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_missing_key_is_refused_before_repeated_options(client: TestClient) -> None:
    answer = client.post("/gradcam?size=200&size=300")

    assert answer.status_code == 401


def test_only_listed_origins_call_from_a_browser() -> None:
    origins = "https://viewer.example, https://b.example"
    client = TestClient(create_app(Settings(model=FAKE, cors_origins=origins)))
    preflight = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }

    allowed = client.options("/predict", headers=preflight | {"origin": "https://viewer.example"})
    refused = client.options("/predict", headers=preflight | {"origin": "https://evil.example"})
    answer = client.get("/livez", headers={"origin": "https://b.example"})

    assert allowed.headers["access-control-allow-origin"] == "https://viewer.example"
    assert "access-control-allow-origin" not in refused.headers
    assert "Mammolens-Warnings" in answer.headers["access-control-expose-headers"]
