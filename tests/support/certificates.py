"""Certificates that tests make for themselves."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "mammolens.example"


class TlsFiles(NamedTuple):
    """Files of a certificate and its key, both PEM."""

    certificate: Path
    key: Path

    @property
    def settings(self) -> dict[str, str]:
        """The environment variables that name both."""
        return {
            "MAMMOLENS_TLS_CERTIFICATE": str(self.certificate),
            "MAMMOLENS_TLS_KEY": str(self.key),
        }


def make_tls_files(
    folder: Path, begins: int = -1, ends: int = 1, password: bytes | None = None
) -> TlsFiles:
    """Make a certificate for 127.0.0.1 and `NAME` that is signed with its own key.

    `begins`, `ends`: days from now. `password`: encrypts the key.
    """
    folder.mkdir(exist_ok=True)
    files = TlsFiles(folder / "certificate.pem", folder / "key.pem")
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    names = [x509.DNSName(NAME), x509.IPAddress(ip_address("127.0.0.1"))]

    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=begins))
        .not_valid_after(now + timedelta(days=ends))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    signed = builder.sign(key, hashes.SHA256())
    files.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    encryption = (
        serialization.NoEncryption()
        if password is None
        else serialization.BestAvailableEncryption(password)
    )
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    )
    return files
