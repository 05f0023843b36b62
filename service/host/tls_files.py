"""TLS of the service: its certificate and its key, checked before the first connection."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_CERTIFICATE = "MAMMOLENS_TLS_CERTIFICATE"
_KEY = "MAMMOLENS_TLS_KEY"


class TlsUnusable(Exception):
    """The certificate or its key cannot be used. The message names the variable."""


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the context of a server that speaks TLS 1.2 or newer.

    `certificate`: PEM, of the server first, then of those that issued it. `key`: PEM, not
    encrypted.

    Raises:
        TlsUnusable: a file cannot be read, the certificate is not valid now, or they do not match.
    """
    _check_validity(certificate)
    _check_key(certificate, key)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        reason = error.reason or "not usable"
        raise TlsUnusable(f"{_CERTIFICATE}: OpenSSL refuses {certificate}: {reason}") from error
    return context


def _check_validity(path: Path) -> None:
    certificate = _load_certificate(path)
    now = datetime.now(UTC)
    end = certificate.not_valid_after_utc
    begin = certificate.not_valid_before_utc

    if now > end:
        raise TlsUnusable(f"{_CERTIFICATE}: {path} expired on {end:%Y-%m-%d %H:%M} UTC")
    if now < begin:
        raise TlsUnusable(f"{_CERTIFICATE}: {path} is valid from {begin:%Y-%m-%d %H:%M} UTC on")


def _check_key(certificate: Path, path: Path) -> None:
    content = _read(_KEY, path)
    try:
        key = load_pem_private_key(content, password=None)
    except TypeError as error:
        raise TlsUnusable(
            f"{_KEY}: {path} is encrypted, and there is no way to enter its password"
        ) from error
    except ValueError as error:
        raise TlsUnusable(f"{_KEY}: {path} holds no private key in PEM form") from error

    if key.public_key() != _load_certificate(certificate).public_key():
        raise TlsUnusable(f"{_KEY}: {path} is not the key of the certificate in {certificate}")


def _load_certificate(path: Path) -> x509.Certificate:
    """Return the first certificate in the file, which is the server's."""
    content = _read(_CERTIFICATE, path)
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError as error:
        raise TlsUnusable(f"{_CERTIFICATE}: {path} holds no certificate in PEM form") from error


def _read(variable: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsUnusable(f"{variable}: {path} cannot be read: {error.strerror}") from error
