"""Faults of a certificate and its key are named before the first connection."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from service.host.tls_files import TlsUnusable, server_context
from tests.support.certificates import TlsFiles, make_tls_files


def spoil(path: Path) -> Path:
    path.write_text("neither certificate nor key")
    return path


def expired(folder: Path) -> TlsFiles:
    return make_tls_files(folder, begins=-9, ends=-1)


def not_yet_valid(folder: Path) -> TlsFiles:
    return make_tls_files(folder, begins=2, ends=9)


def missing_certificate(folder: Path) -> TlsFiles:
    return make_tls_files(folder)._replace(certificate=folder / "none.pem")


def missing_key(folder: Path) -> TlsFiles:
    return make_tls_files(folder)._replace(key=folder / "none.pem")


def no_certificate(folder: Path) -> TlsFiles:
    files = make_tls_files(folder)
    return files._replace(certificate=spoil(folder / "text.pem"))


def no_key(folder: Path) -> TlsFiles:
    files = make_tls_files(folder)
    return files._replace(key=spoil(folder / "text.pem"))


def encrypted_key(folder: Path) -> TlsFiles:
    return make_tls_files(folder, password=b"secret")


def key_of_another(folder: Path) -> TlsFiles:
    return make_tls_files(folder)._replace(key=make_tls_files(folder / "other").key)


FAULTS: list[tuple[Callable[[Path], TlsFiles], str]] = [
    (expired, "MAMMOLENS_TLS_CERTIFICATE: .*certificate.pem expired on "),
    (not_yet_valid, "MAMMOLENS_TLS_CERTIFICATE: .*certificate.pem is valid from "),
    (missing_certificate, "MAMMOLENS_TLS_CERTIFICATE: .*none.pem cannot be read: No such file"),
    (missing_key, "MAMMOLENS_TLS_KEY: .*none.pem cannot be read: No such file"),
    (no_certificate, "MAMMOLENS_TLS_CERTIFICATE: .*text.pem holds no certificate"),
    (no_key, "MAMMOLENS_TLS_KEY: .*text.pem holds no private key"),
    (encrypted_key, "MAMMOLENS_TLS_KEY: .*key.pem is encrypted"),
    (key_of_another, "MAMMOLENS_TLS_KEY: .*other/key.pem is not the key of the certificate in "),
]


@pytest.mark.parametrize(
    ("make", "message"), FAULTS, ids=lambda part: getattr(part, "__name__", "")
)
def test_faults_are_named_with_their_variable(
    make: Callable[[Path], TlsFiles], message: str, tmp_path: Path
) -> None:
    files = make(tmp_path)

    with pytest.raises(TlsUnusable, match=f"^{message}"):
        server_context(*files)


def test_context_speaks_no_older_version(tmp_path: Path) -> None:
    context = server_context(*make_tls_files(tmp_path))

    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
