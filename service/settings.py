"""What an operator may set, from the environment, with defaults that are safe."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Self, TypeVar

from pydantic import Field, HttpUrl, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.host.addresses import is_loopback, is_private
from service.host.memory import MEBIBYTE
from service.observability.audit import MIN_KEY_LENGTH

T = TypeVar("T")
FAKE = Path("fake")
_DEMO = Path("models/demo")
_PACKAGED_DEMO = Path(__file__).parent / "bundles" / "demo"
_EXPORTER = "opentelemetry-exporter-otlp-proto-http"


class Settings(BaseSettings):
    """The service's settings; each is an environment variable, prefixed MAMMOLENS_ but for HOST and PORT."""

    model_config = SettingsConfigDict(env_prefix="MAMMOLENS_", frozen=True, populate_by_name=True)

    host: str = Field(
        default="127.0.0.1", validation_alias="HOST", description="Address to listen on."
    )
    port: int = Field(
        default=8000,
        validation_alias="PORT",
        ge=0,
        le=65535,
        description="Port to listen on; 0 takes a free one.",
    )
    allow_anonymous: bool = Field(
        default=False,
        description="Listen on an address other than loopback although nothing asks callers who they are.",
    )
    keys: Path | None = Field(
        default=None,
        description="File of API keys, made with `python -m service.access`; with it, every caller needs one.",
    )
    oidc_issuer: str | None = Field(
        default=None,
        pattern="^https?://",
        description="OpenID provider whose bearer tokens are taken.",
    )
    oidc_audience: str | None = Field(
        default=None, description="Audience that its tokens must be meant for."
    )
    oidc_jwks: HttpUrl | None = Field(
        default=None,
        description="Where its keys are; unset takes what its discovery document says.",
    )
    rate_per_minute: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="Requests that each caller may make in a minute.",
    )
    cors_origins: str | None = Field(
        default=None,
        description="Origins, comma-separated, whose pages may use the service from a browser.",
    )
    model: Path = Field(
        default=Path("models/demo"),
        description="Directory of a model, of whose versions the newest is served, or of one version; `fake` serves "
        "the built-in stand-in without TensorFlow.",
    )
    watch_seconds: float = Field(
        default=0,
        ge=0,
        le=86_400,
        description="How often to look for a newer or changed version of the model, in seconds, and to load it beside "
        "the one that is served; 0 leaves it to POST /model/reload.",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Threads TensorFlow computes with; unset takes the cores this process may use.",
    )
    readers: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="Processes that decode image files; unset takes the cores this process may use, at most 8.",
    )
    max_batch: int = Field(
        default=8,
        ge=1,
        le=64,
        description="Images that the model is given at a time: those that have queued while it was busy.",
    )
    max_requests: int = Field(
        default=16,
        ge=2,
        le=1024,
        description="Images held in memory at the same time; a quarter of the places is for explanations.",
    )
    max_waiting: int = Field(
        default=128,
        ge=0,
        le=10_000,
        description="Requests that wait for such a place, with their bodies unread; beyond it callers are told to "
        "come back.",
    )
    deadline_seconds: float = Field(
        default=25,
        gt=0,
        le=3600,
        description="Longest that a request may take; callers may ask for less in the header Request-Timeout.",
    )
    upload_seconds: float = Field(
        default=15,
        gt=0,
        le=3600,
        description="Longest that a request's body may take to arrive; then it is cut off.",
    )
    max_upload_bytes: int = Field(
        default=128 * MEBIBYTE, ge=1, description="Largest request body read, in bytes."
    )
    max_pixels: int = Field(
        default=64_000_000, ge=1, description="Largest image decoded, in pixels."
    )
    max_decode_seconds: int = Field(
        default=20,
        ge=1,
        le=3600,
        description="Longest that one file is decoded, in seconds; then it is refused.",
    )
    audit_log: Path | None = Field(
        default=None,
        description="File to which a line is appended for each inference; unset keeps no audit.",
    )
    audit_key: SecretStr | None = Field(
        default=None,
        min_length=MIN_KEY_LENGTH,
        description="Secret with which the audit hashes images; goes with the audit log.",
    )
    traces: HttpUrl | None = Field(
        default=None,
        description="Where traces are sent: the OTLP/HTTP address of a collector, with its path; unset makes none.",
    )

    @field_validator("model")
    @classmethod
    def _find_demo(cls, path: Path) -> Path:
        """Return the demo model that comes with the wheel if the working directory has none."""
        packaged = path == _DEMO and not path.exists() and _PACKAGED_DEMO.exists()
        return _PACKAGED_DEMO if packaged else path

    @field_validator("traces")
    @classmethod
    def _with_extra(cls, address: HttpUrl | None) -> HttpUrl | None:
        if address is not None:
            try:
                version(_EXPORTER)
            except PackageNotFoundError as error:
                raise ValueError(
                    f"{_EXPORTER} is not installed; it comes with the extra: mammolens[tracing]"
                ) from error
        return address

    @field_validator("oidc_issuer", "oidc_jwks")
    @classmethod
    def _out_of_reach(cls, address: T) -> T:
        if address is not None and not is_private(str(address)):
            raise ValueError(
                "keys that come by plain http could be anyone's: name an https address"
            )
        return address

    @model_validator(mode="after")
    def _need_both(self) -> Self:
        for one, other, message in (
            (
                self.audit_log,
                self.audit_key,
                "MAMMOLENS_AUDIT_LOG and MAMMOLENS_AUDIT_KEY are set together or not at all",
            ),
            (
                self.oidc_issuer,
                self.oidc_audience,
                "MAMMOLENS_OIDC_ISSUER and MAMMOLENS_OIDC_AUDIENCE are set together or not at all",
            ),
        ):
            if (one is None) != (other is None):
                raise ValueError(message)
        if self.oidc_jwks is not None and self.oidc_issuer is None:
            raise ValueError(
                "MAMMOLENS_OIDC_JWKS says where the keys of MAMMOLENS_OIDC_ISSUER are: set both"
            )
        return self

    @property
    def authenticates(self) -> bool:
        """Whether callers need a key or a token."""
        return self.keys is not None or self.oidc_issuer is not None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        return is_loopback(self.host)
