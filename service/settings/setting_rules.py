"""Rules for the values of settings, as types of their fields."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, HttpUrl, SecretStr

from service.host.addresses import check_host_names, check_origins, is_private, networks_of
from service.observability.audit import MIN_KEY_LENGTH

T = TypeVar("T")
DEMO = Path("models/demo")
_PACKAGED_DEMO = Path(__file__).parents[1] / "bundles" / "demo"
_EXPORTER = "opentelemetry-exporter-otlp-proto-http"


def _check_origins(origins: str) -> str:
    check_origins(origins)
    return origins


def _check_host_names(hosts: str) -> str:
    check_host_names(hosts)
    return hosts


def _check_proxies(proxies: str) -> str:
    networks_of(proxies)
    return proxies


def _check_provider(address: T) -> T:
    """Check that the address of a provider names a host and is safe in transit.

    Raises:
        ValueError: it does not, or is not.
    """
    if not urlsplit(str(address)).hostname:
        raise ValueError("the address names no host")
    if not is_private(str(address)):
        raise ValueError(
            "the address must be https or on this machine: "
            "over plain http the provider's keys could be replaced in transit"
        )
    return address


def _check_audience(audience: str) -> str:
    if not audience.strip():
        raise ValueError("the audience is blank")
    return audience


def _check_key(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value()) < MIN_KEY_LENGTH:
        raise ValueError(f"the key needs at least {MIN_KEY_LENGTH} characters")
    return key


def _find_demo(path: Path) -> Path:
    """Return the demo model that comes with the wheel if the working directory has none."""
    is_packaged = path == DEMO and not path.exists() and _PACKAGED_DEMO.exists()
    return _PACKAGED_DEMO if is_packaged else path


def _require_exporter(address: HttpUrl) -> HttpUrl:
    try:
        version(_EXPORTER)
    except PackageNotFoundError as error:
        raise ValueError(f"{_EXPORTER} is not installed. Install mammolens[tracing].") from error
    return address


Origins = Annotated[str, AfterValidator(_check_origins)]
HostNames = Annotated[str, AfterValidator(_check_host_names)]
Proxies = Annotated[str, AfterValidator(_check_proxies)]
Issuer = Annotated[str, AfterValidator(_check_provider)]
ProviderUrl = Annotated[HttpUrl, AfterValidator(_check_provider)]
Audience = Annotated[str, AfterValidator(_check_audience)]
AuditKey = Annotated[SecretStr, AfterValidator(_check_key)]
ModelPath = Annotated[Path, AfterValidator(_find_demo)]
CollectorUrl = Annotated[HttpUrl, AfterValidator(_require_exporter)]
