"""TLS of the service, with a real certificate over real sockets."""

import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from service.settings import Settings
from tests.support.certificates import NAME, TlsFiles, make_tls_files
from tests.support.paths import SAMPLE
from tests.support.servers import run, running


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return make_tls_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server(files: TlsFiles) -> Iterator[str]:
    with running(None, **files.settings) as started:
        yield started.address


@pytest.fixture(scope="module")
def trusting(files: TlsFiles) -> ssl.SSLContext:
    """Context of a client that trusts this one certificate."""
    return ssl.create_default_context(cafile=str(files.certificate))


def port_of(server: str) -> int:
    return int(server.rpartition(":")[2])


def test_image_is_predicted_over_tls(server: str, trusting: ssl.SSLContext) -> None:
    answer = httpx.post(
        f"{server}/predict", files={"file": SAMPLE.read_bytes()}, verify=trusting, timeout=30
    )

    assert answer.status_code == 200
    assert answer.json()["image"]["rows"] == 960


def test_certificate_is_the_one_configured(server: str, trusting: ssl.SSLContext) -> None:
    address = ("127.0.0.1", port_of(server))

    with (
        socket.create_connection(address, timeout=10) as plain,
        trusting.wrap_socket(plain, server_hostname=NAME) as connection,
    ):
        assert connection.version() == "TLSv1.3"


def client_of(version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return the context of a client that speaks this version of TLS alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    return context


def test_tls_older_than_1_2_is_refused(server: str) -> None:
    address = ("127.0.0.1", port_of(server))

    with (
        socket.create_connection(address, timeout=10) as plain,
        client_of(ssl.TLSVersion.TLSv1_2).wrap_socket(plain) as connection,
    ):
        assert connection.version() == "TLSv1.2"

    with socket.create_connection(address, timeout=10) as plain, pytest.raises(ssl.SSLError):
        client_of(ssl.TLSVersion.TLSv1_1).wrap_socket(plain)


def test_plain_http_is_not_answered(server: str, trusting: ssl.SSLContext) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(server.replace("https", "http") + "/livez")

    assert httpx.get(f"{server}/livez", verify=trusting).status_code == 200


def test_health_is_checked_over_tls(server: str, files: TlsFiles) -> None:
    done = run("health", PORT=str(port_of(server)), **files.settings)

    assert (done.returncode, done.stderr) == (0, "")


def test_health_over_plain_http_fails_on_tls(server: str) -> None:
    assert run("health", PORT=str(port_of(server))).returncode == 1


def test_expired_certificate_stops_start(tmp_path: Path) -> None:
    done = run(MAMMOLENS_MODEL="fake", **make_tls_files(tmp_path, begins=-9, ends=-1).settings)

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("mammolens: MAMMOLENS_TLS_CERTIFICATE: ")


@pytest.mark.parametrize("name", ["tls_certificate", "tls_key"])
def test_tls_needs_both_certificate_and_key(name: str, files: TlsFiles) -> None:
    with pytest.raises(ValidationError, match="MAMMOLENS_TLS_CERTIFICATE and MAMMOLENS_TLS_KEY"):
        Settings.model_validate({name: files.certificate})


def test_keys_in_clear_are_warned_about_once(tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    keys.touch()
    log = tmp_path / "log"

    every_address = "0.0.0.0"  # noqa: S104 - the subject of this test
    with log.open("wb") as stderr, running(stderr, HOST=every_address, MAMMOLENS_KEYS=str(keys)):
        pass

    (line,) = [line for line in log.read_text().splitlines() if "MAMMOLENS_TLS" in line]
    assert '"level": "WARNING"' in line
