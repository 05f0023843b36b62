"""Settings of the service, read from environment variables, with safe defaults."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from service.host.addresses import is_loopback
from service.host.memory import MEBIBYTE
from service.settings.setting_names import EnvironmentSettings, variable_of
from service.settings.setting_rules import (
    DEMO,
    Audience,
    AuditKey,
    CollectorUrl,
    HostNames,
    Issuer,
    ModelPath,
    Origins,
    ProviderUrl,
    Proxies,
)

FAKE = Path("fake")
_MAX_UPLOAD_BYTES = 2**32
_MAX_PIXELS = 10**9  # a decoder may take 16 GB for them
_PAIRS = (
    ("audit_log", "audit_key"),
    ("tls_certificate", "tls_key"),
    ("oidc_issuer", "oidc_audience"),
)


class Settings(EnvironmentSettings):
    """Settings that an operator may change.

    Each is an environment variable with the prefix MAMMOLENS_. Only HOST and PORT have no prefix.
    """

    # Server

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
    tls_certificate: Path | None = Field(
        default=None,
        description="Certificate chain of the service as a PEM file. Requires the key. When set, "
        "the service speaks https.",
    )
    tls_key: Path | None = Field(
        default=None,
        description="Private key of the certificate as a PEM file, not encrypted. Requires the "
        "certificate.",
    )
    keep_alive_seconds: int = Field(
        default=75,
        ge=1,
        le=3600,
        description="Time for which an idle connection is kept open, in seconds. It has to be "
        "longer than the time of the proxy or load balancer before the service.",
    )
    cors_origins: Origins | None = Field(
        default=None,
        description="Comma-separated origins whose pages may use the service from a browser.",
    )
    allowed_hosts: HostNames | None = Field(
        default=None,
        description="Comma-separated names and addresses by which the service may be called. If "
        "unset: any, but on loopback without authentication those of this machine.",
    )
    viewer: bool = Field(
        default=True, description="Serve the pages at /viewer, which show exams and the model."
    )
    trusted_proxies: Proxies | None = Field(
        default=None,
        description="Comma-separated addresses or networks of proxies whose X-Forwarded-For and "
        "X-Forwarded-Proto are believed.",
    )

    # Access

    allow_anonymous: bool = Field(
        default=False,
        description="Listen on addresses other than loopback without authentication.",
    )
    keys: Path | None = Field(
        default=None,
        description="File of API keys, made with `python -m service.access`, or a folder with "
        "`keys.toml` in it. When set, every caller needs a key or a token.",
    )
    oidc_issuer: Issuer | None = Field(
        default=None,
        description="OpenID provider whose bearer tokens are accepted; an https address, or one of "
        "this machine.",
    )
    oidc_audience: Audience | None = Field(
        default=None,
        description="Audience that the provider's tokens must name; required with the issuer.",
    )
    oidc_jwks: ProviderUrl | None = Field(
        default=None,
        description="Address of the provider's keys, also https or of this machine; if unset, the "
        "one in its discovery document.",
    )
    oidc_leeway_seconds: int = Field(
        default=30,
        ge=0,
        le=300,
        description="Max difference between the provider's clock and this machine's, in seconds.",
    )
    rate_per_minute: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="Max requests per minute and caller; callers that need not authenticate are "
        "counted by address.",
    )

    # Model

    model: ModelPath = Field(
        default=DEMO,
        description="Directory of a model, whose newest version is served, or of one version. "
        "`fake` serves the built-in stand-in, which needs no TensorFlow.",
    )
    engine: Literal["tensorflow", "onnx"] = Field(
        default="tensorflow",
        description="Library that runs the model. `onnx` needs the extra of that name, and graphs "
        "in the bundle.",
    )
    watch_seconds: float = Field(
        default=0,
        ge=0,
        le=86_400,
        description="Interval at which to look for a newer or changed version of the model and "
        "load it beside the one being served, in seconds; 0 leaves it to POST /model/reload.",
    )

    # Runtime

    threads: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Number of the engine's threads; if unset, the cores this process may use.",
    )
    readers: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="Number of reader processes, which decode image files; if unset, the cores "
        "this process may use, at most 8 and no more than fit into its memory.",
    )
    max_batch: int = Field(
        default=8,
        ge=1,
        le=64,
        description="Max images in a batch: calls that queue while the model is busy are joined up "
        "to this number.",
    )
    max_requests: int = Field(
        default=16,
        ge=2,
        le=1024,
        description="Number of slots: max images worked on at the same time. A quarter of them is "
        "for explanations.",
    )
    max_waiting: int = Field(
        default=128,
        ge=0,
        le=10_000,
        description="Max requests that wait for a slot, for predictions and for explanations each. "
        "Beyond it requests are rejected with Retry-After.",
    )

    # Limits

    deadline_seconds: float = Field(
        default=25,
        gt=0,
        le=3600,
        description="Max time for a request, in seconds; callers may ask for less in the header "
        "Request-Timeout.",
    )
    upload_seconds: float = Field(
        default=5,
        gt=0,
        le=3600,
        description="Time that the body of a request may take beyond that of its bytes at the "
        "minimum rate, in seconds; then it is cut off.",
    )
    min_upload_rate: int = Field(
        default=32_768,
        ge=1,
        le=_MAX_UPLOAD_BYTES,
        description="Minimum rate at which a body must arrive on average, in bytes per second.",
    )
    max_upload_bytes: int = Field(
        default=128 * MEBIBYTE,
        ge=1,
        le=_MAX_UPLOAD_BYTES,
        description="Max size of an uploaded file, in bytes.",
    )
    max_exam_images: int = Field(default=8, ge=1, le=32, description="Max images of one exam.")
    max_exam_bytes: int | None = Field(
        default=None,
        ge=1,
        description="Max size of all files of one exam, in bytes; if unset, that of two uploaded "
        "files, or half of all bodies if that is less, and one file in any case.",
    )
    max_body_bytes: int = Field(
        default=512 * MEBIBYTE,
        ge=1,
        description="Max bytes of all request bodies in memory at the same time. A caller may hold "
        "half of it, and one exam in any case.",
    )
    max_pixels: int = Field(
        default=64_000_000,
        ge=1,
        le=_MAX_PIXELS,
        description="Max size of a decoded image, in pixels.",
    )
    max_decode_seconds: int = Field(
        default=20,
        ge=1,
        le=3600,
        description="Max time to decode one file, in seconds; then it is refused.",
    )

    # Audit

    audit_log: Path | None = Field(
        default=None,
        description="File to which a line is appended for each inference. Requires the audit key.",
    )
    audit_key: AuditKey | None = Field(
        default=None,
        description="Secret with which the audit hashes images. Requires the audit log.",
    )

    # Tracing

    traces: CollectorUrl | None = Field(
        default=None,
        description="OTLP/HTTP address of the collector that receives traces, with its path. Needs "
        "the extra `tracing`.",
    )

    @model_validator(mode="after")
    def _require_pairs(self) -> Self:
        for first, second in _PAIRS:
            if (getattr(self, first) is None) != (getattr(self, second) is None):
                names = [variable_of(name, type(self).model_fields) for name in (first, second)]
                raise ValueError(f"{' and '.join(names)} must be set together")

        if self.oidc_jwks is not None and self.oidc_issuer is None:
            raise ValueError("MAMMOLENS_OIDC_JWKS requires MAMMOLENS_OIDC_ISSUER")

        return self

    @model_validator(mode="after")
    def _require_room_for_uploads(self) -> Self:
        if self.max_body_bytes < self.max_upload_bytes:
            raise ValueError("MAMMOLENS_MAX_BODY_BYTES must be at least MAMMOLENS_MAX_UPLOAD_BYTES")
        if self.exam_bytes > self.max_body_bytes:
            raise ValueError("MAMMOLENS_MAX_BODY_BYTES must be at least MAMMOLENS_MAX_EXAM_BYTES")
        if self.exam_bytes < self.max_upload_bytes:
            raise ValueError("MAMMOLENS_MAX_EXAM_BYTES must be at least MAMMOLENS_MAX_UPLOAD_BYTES")
        return self

    @property
    def exam_bytes(self) -> int:
        """Max size of all files of one exam, in bytes."""
        share = min(2 * self.max_upload_bytes, self.max_body_bytes // 2)
        return self.max_exam_bytes or max(share, self.max_upload_bytes)

    @property
    def explain_slots(self) -> int:
        """Number of slots that are for explanations: a quarter of them."""
        return max(1, self.max_requests // 4)

    @property
    def authenticates(self) -> bool:
        """Whether callers need a key or a token."""
        return self.keys is not None or self.oidc_issuer is not None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        return is_loopback(self.host)
