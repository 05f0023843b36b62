"""Hosts, origins and proxies: who is believed, and what a page in a browser may do."""

import http.client
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from service.access import AccessScope, add_key
from service.api.app import create_app
from service.api.server import configure
from service.settings import FAKE, Settings
from tests.support.clients import until_ready
from tests.support.servers import Running, running

EVIL = "https://evil.example"
VIEWER = "https://viewer.example"


@pytest.fixture(scope="module")
def alone() -> Iterator[Running]:
    """A service as it starts by default: on loopback, without access control."""
    with running(MAMMOLENS_ALLOWED_HOSTS="") as started:
        yield started


@pytest.fixture(scope="module")
def listed() -> Iterator[TestClient]:
    """Client of a service with one listed origin."""
    app = create_app(Settings(model=FAKE, cors_origins=VIEWER))
    with TestClient(app, raise_server_exceptions=False) as connected:
        until_ready(connected)
        yield connected


def send(server: Running, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
    """Send a request with these headers alone. Return the status and the body."""
    connection = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=10)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()

    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:9000", "localhost.", "127.0.0.1:80", "127.8.8.8", "[::1]:8000"]
)
def test_loopback_answers_to_names_of_this_machine(alone: Running, host: str) -> None:
    assert send(alone, "GET", "/model", {"Host": host})[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example@localhost",
        "localhost/",
        "192.0.2.1",
        "[::2]",
        "[",
        "",
    ],
)
def test_rebound_name_reads_nothing(alone: Running, host: str) -> None:
    for path in ("/model", "/metrics", "/docs", "/none"):
        status, body = send(alone, "GET", path, {"Host": host})

        assert status == 421
        assert "urn:mammolens:misdirected" in body
        assert "evil" not in body


def test_probes_answer_whatever_the_host(alone: Running) -> None:
    for path in ("/livez", "/readyz"):
        assert send(alone, "GET", path, {"Host": "10.0.0.7:8000"})[0] == 200


def test_request_without_host_is_refused(alone: Running) -> None:
    status, body = send(alone, "GET", "/livez", {})

    assert status == 400
    assert "urn:mammolens:malformed-request" in body


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("mammolens.example", 200),
        ("Mammolens.Example:443", 200),
        ("[2001:db8::1]", 200),
        ("localhost", 421),
        ("127.0.0.1", 421),
    ],
)
def test_only_allowed_hosts_are_served(host: str, status: int) -> None:
    names = "mammolens.example, 2001:db8::1"
    app = create_app(Settings(model=FAKE, allowed_hosts=names, host="0.0.0.0"))  # noqa: S104
    client = TestClient(app)

    answer = client.get("/openapi.json", headers={"Host": host})

    assert answer.status_code == status


def test_any_host_is_served_beyond_loopback() -> None:
    settings = Settings(model=FAKE, host="0.0.0.0", allow_anonymous=True)  # noqa: S104
    client = TestClient(create_app(settings))

    assert client.get("/openapi.json", headers={"Host": "any.example"}).status_code == 200


FOREIGN: list[dict[str, str]] = [
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Origin": "http://localhost:3000"},
    {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://other.viewer.example", "Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site"},
]
OWN: list[dict[str, str]] = [
    {},
    {"Origin": "http://testserver"},
    {"Origin": "https://testserver"},  # behind a proxy that ends TLS
    {"Origin": "https://outer.example", "Sec-Fetch-Site": "same-origin"},  # and rewrites the host
    {"Sec-Fetch-Site": "none"},
    {"Origin": VIEWER},
    {"Origin": VIEWER, "Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_foreign_pages_post_nothing(
    listed: TestClient, headers: dict[str, str], mammogram_png: bytes
) -> None:
    for path in ("/model/reload", "/predict", "/gradcam", "/activations/conv2d"):
        answer = listed.post(path, files={"file": mammogram_png}, headers=headers)

        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:mammolens:foreign-origin"
        assert "access-control-allow-origin" not in answer.headers

    assert listed.get("/model", headers=headers).status_code == 200


def test_foreign_page_with_a_key_reloads_nothing(tmp_path: Path, mammogram_png: bytes) -> None:
    key = add_key(tmp_path / "keys.toml", "viewer", list(AccessScope))
    app = create_app(Settings(model=FAKE, keys=tmp_path / "keys.toml"))
    headers = {"Authorization": f"Bearer {key}", "Origin": EVIL}

    with TestClient(app, raise_server_exceptions=False) as connected:
        until_ready(connected)
        reloaded = connected.post("/model/reload", headers=headers)
        predicted = connected.post("/predict", files={"file": mammogram_png}, headers=headers)

    # A page has no key of its own, so one that predicts was given it.
    assert (reloaded.status_code, predicted.status_code) == (403, 200)


@pytest.mark.parametrize("headers", OWN)
def test_own_and_listed_pages_post(
    listed: TestClient, headers: dict[str, str], mammogram_png: bytes
) -> None:
    predicted = listed.post("/predict", files={"file": mammogram_png}, headers=headers)
    reloaded = listed.post("/model/reload", headers=headers)

    assert (predicted.status_code, reloaded.status_code) == (200, 200)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": VIEWER}, 200),
        ({"Origin": VIEWER, "Access-Control-Request-Headers": "traceparent,tracestate"}, 200),
        ({"Origin": VIEWER, "Access-Control-Request-Headers": "x-made-up"}, 403),
        ({"Origin": VIEWER, "Access-Control-Request-Method": "DELETE"}, 403),
        ({"Origin": EVIL}, 403),
    ],
)
def test_refused_preflight_is_a_problem(
    listed: TestClient, headers: dict[str, str], status: int
) -> None:
    preflight = {"Access-Control-Request-Method": "POST"} | headers

    answer = listed.options("/predict", headers=preflight)

    assert answer.status_code == status
    if status == 403:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_no_redirect_repeats_the_host(alone: Running) -> None:
    for path in ("/predict/", "/model/", "/livez/"):
        answer = httpx.post(f"{alone.address}{path}")

        assert answer.status_code == 404
        assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("trusted", "forwarded", "last"),
    [
        ("10.0.0.1", "192.0.2.{}", 429),
        ("127.0.0.0/8", "192.0.2.{}", 503),
        ("127.0.0.1", "192.0.2.{}, 198.51.100.7", 429),
        ("127.0.0.1,198.51.100.0/24", "192.0.2.{}, 198.51.100.7", 503),
        ("127.0.0.1", "198.51.100.{}, 192.0.2.1, 127.0.0.1", 429),
    ],
)
def test_last_address_of_no_trusted_proxy_is_limited(
    trusted: str, forwarded: str, last: int
) -> None:
    """503: the model is not loaded."""
    settings = Settings(model=FAKE, trusted_proxies=trusted, rate_per_minute=3)
    config = configure(create_app(settings), settings)
    config.load()
    client = TestClient(config.loaded_app, client=("127.0.0.1", 50_000))

    statuses = [
        client.get("/model", headers={"X-Forwarded-For": forwarded.format(number)}).status_code
        for number in range(4)
    ]

    assert statuses == [503, 503, 503, last]


def test_callers_choose_no_address_of_their_own() -> None:
    """uvicorn's own variable has no effect."""
    with running(MAMMOLENS_RATE_PER_MINUTE="3", FORWARDED_ALLOW_IPS="*") as server:
        statuses = [
            httpx.get(
                f"{server.address}/model", headers={"X-Forwarded-For": f"192.0.2.{number}"}
            ).status_code
            for number in range(4)
        ]

    assert statuses == [200, 200, 200, 429]
