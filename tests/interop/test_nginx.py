"""nginx with the shipped configuration before a service: nothing is lost, stored or forged."""

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import httpx
import pytest

from tests.support.certificates import TlsFiles, make_tls_files
from tests.support.dicom_files import stored_breast, write_dicom
from tests.support.nginx import TEMPORARY, proxying
from tests.support.servers import running

pytestmark = pytest.mark.interop

MEGABYTE = 1_000_000
MAX_BYTES = 21 * MEGABYTE


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return make_tls_files(tmp_path_factory.mktemp("tls"))


@contextmanager
def proxied(folder: Path, files: TlsFiles, **settings: str) -> Iterator[str]:
    """Address of nginx before a service with these settings."""
    trusted = {"MAMMOLENS_TRUSTED_PROXIES": "127.0.0.1"}
    with (
        running(None, **trusted, **settings) as server,
        proxying(folder, server.address, files) as proxy,
    ):
        yield proxy.address


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def proxy(folder: Path, files: TlsFiles) -> Iterator[str]:
    with proxied(folder, files, MAMMOLENS_MAX_UPLOAD_BYTES=str(MAX_BYTES)) as address:
        yield address


@pytest.fixture
def client(proxy: str, files: TlsFiles) -> Iterator[httpx.Client]:
    with client_of(proxy, files) as connected:
        yield connected


def client_of(proxy: str, files: TlsFiles, address: str = "127.0.0.1") -> httpx.Client:
    """Return a client that trusts the certificate and calls from that address."""
    trusting = ssl.create_default_context(cafile=str(files.certificate))
    transport = httpx.HTTPTransport(verify=trusting, local_address=address)
    return httpx.Client(base_url=proxy, transport=transport, timeout=30)


@pytest.fixture(scope="module")
def large() -> bytes:
    """An uncompressed mammogram of 20 MB."""
    image = cv2.resize(stored_breast(), (2600, 3900), interpolation=cv2.INTER_LINEAR)
    return write_dicom(image)


def test_large_image_passes_and_is_never_stored(
    client: httpx.Client, folder: Path, large: bytes
) -> None:
    assert len(large) > 20 * MEGABYTE

    answer = client.post("/predict", files={"file": large})

    assert answer.status_code == 200
    assert answer.json()["image"]["rows"] == 3900
    stored = [path for name in TEMPORARY for path in (folder / name).rglob("*") if path.is_file()]
    assert stored == []


def test_refusal_of_the_service_arrives(client: httpx.Client) -> None:
    for _ in range(5):
        answer = client.post("/predict", files={"file": bytes(MAX_BYTES + MEGABYTE)})

        assert answer.status_code == 413
        assert answer.json()["max_upload_bytes"] == MAX_BYTES


def test_refusal_of_the_proxy_is_a_problem(proxy: str, files: TlsFiles) -> None:
    trusting = ssl.create_default_context(cafile=str(files.certificate))
    address = proxy.removeprefix("https://")
    connection = http.client.HTTPSConnection(address, timeout=10, context=trusting)
    connection.putrequest("POST", "/predict")
    connection.putheader("Content-Length", str(300 * MEGABYTE))
    connection.endheaders()

    answer = connection.getresponse()
    problem = json.loads(answer.read())
    connection.close()

    assert answer.status == problem["status"] == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:mammolens:upload-too-large"


def test_answers_carry_request_id_and_hsts(client: httpx.Client) -> None:
    kept = client.get("/livez", headers={"x-request-id": "viewer-17"})
    replaced = client.get("/livez", headers={"x-request-id": "Doe Jane"})

    assert kept.headers["x-request-id"] == "viewer-17"
    assert len(replaced.headers["x-request-id"]) == 32
    assert kept.headers["strict-transport-security"] == "max-age=31536000"
    assert kept.headers["cache-control"] == "no-store"


def test_offered_upgrade_is_not_passed_on(client: httpx.Client, mammogram_png: bytes) -> None:
    offer = {
        "connection": "Upgrade, HTTP2-Settings",
        "upgrade": "h2c",
        "http2-settings": "AAMAAABk",
    }

    answer = client.post("/predict", files={"file": mammogram_png}, headers=offer)

    assert answer.status_code == 200


def test_access_log_names_no_path(client: httpx.Client, folder: Path) -> None:
    client.get("/Doe-Jane?name=Doe", headers={"x-request-id": "logged"})

    lines = (folder / "access.log").read_text().splitlines()
    (line,) = [line for line in map(json.loads, lines) if line["request_id"] == "logged"]
    assert (line["method"], line["status"]) == ("GET", "404")
    assert "Doe" not in "".join(lines)


def test_callers_are_counted_by_their_own_address(tmp_path: Path, files: TlsFiles) -> None:
    with proxied(tmp_path, files, MAMMOLENS_RATE_PER_MINUTE="3") as proxy:
        with client_of(proxy, files) as forging:
            forged = [{"x-forwarded-for": f"10.0.0.{number}"} for number in range(6)]
            statuses = [forging.get("/model", headers=headers).status_code for headers in forged]
        with client_of(proxy, files, "127.0.0.2") as other:
            status = other.get("/model").status_code

    assert statuses == [200, 200, 200, 429, 429, 429]
    assert status == 200


def test_caller_without_key_is_refused_at_once(
    tmp_path: Path, files: TlsFiles, large: bytes
) -> None:
    keys = tmp_path / "keys.toml"
    keys.touch()

    with (
        proxied(tmp_path, files, MAMMOLENS_KEYS=str(keys)) as proxy,
        client_of(proxy, files) as client,
    ):
        answers = [client.post("/predict", files={"file": large}) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [401] * 5
    assert all(answer.json()["type"] == "urn:mammolens:unauthenticated" for answer in answers)


def test_absent_service_is_reported_as_a_problem(tmp_path: Path, files: TlsFiles) -> None:
    with (
        proxying(tmp_path, "http://127.0.0.1:1", files) as proxy,
        client_of(proxy.address, files) as client,
    ):
        answer = client.get("/livez")

    assert answer.status_code == answer.json()["status"] == 502
    assert answer.headers["content-type"] == "application/problem+json"
