"""Create the application from its parts. It answers /livez while the model is still loading."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from service import __version__
from service.access import AccessGate, AccessScope, KeyFile, ProviderKeys, Rates, TokenVerifier
from service.api import responses
from service.api.application import AppParts, MammolensApp
from service.api.dependencies import requires
from service.api.gauges import Gauges
from service.api.inference.tensor_names import LENGTH_HEADER
from service.api.middleware.cross_origin import CrossOrigin
from service.api.middleware.host_names import HostNames
from service.api.middleware.inference_audit import InferenceAudit
from service.api.middleware.request_log import RequestLog
from service.api.middleware.security_headers import SecurityHeaders
from service.api.openapi.document import DESCRIPTION, openapi_document
from service.api.problems import handlers
from service.api.routes import (
    activations,
    documentation_pages,
    exam_objects,
    exam_pixels,
    explain_exam,
    front_page,
    gradcam,
    health,
    image_objects,
    inference_server,
    model_curves,
    model_scorecard,
    model_version,
    open_inference,
    predict,
    viewer_pages,
)
from service.host.addresses import split_list
from service.model import Model
from service.observability.audit import Audit
from service.observability.metrics import Metrics
from service.runtime.engine import Engine
from service.runtime.model_loader import load_model
from service.settings import Settings

_log = logging.getLogger("mammolens")

Load = Callable[[Settings], Model]
OnFailure = Callable[[BaseException], None]


def create_app(
    settings: Settings, load: Load = load_model, on_failure: OnFailure | None = None
) -> MammolensApp:
    """Create the application. It answers /livez at once, and all else when `load` has returned.

    `on_failure` receives the error if `load` fails. The application then goes on without ever being
    ready.

    Raises:
        KeysUnavailable: the key file cannot be read.
        AuditLost: the audit log cannot be written.
    """
    metrics = Metrics()
    parts = AppParts(
        settings=settings,
        engine=Engine(settings, metrics, load),
        gate=_gate(settings),
        metrics=metrics,
        audit=_audit(settings),
    )
    metrics.register(Gauges(parts.engine, parts.audit))

    app = MammolensApp(
        parts,
        title="mammolens",
        version=__version__,
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,  # these pages are routes/documentation_pages.py
        redoc_url=None,
        redirect_slashes=False,  # a redirect would repeat the host that the client named
        lifespan=_lifespan(parts.engine, on_failure or _log_failure),
        # FastAPI's telemetry records paths and queries, which may name a person.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    _include_routes(app, settings)
    handlers.install(app)
    _add_middleware(app, settings)
    # As FastAPI documents it.
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]
    return app


def _log_failure(error: BaseException) -> None:
    _log.error("the model cannot be served: %s", error)


def _lifespan(
    engine: Engine, on_failure: OnFailure
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    def report(loading: asyncio.Task[None]) -> None:
        if not loading.cancelled() and (error := loading.exception()):
            on_failure(error)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with engine.running():
            loading = asyncio.create_task(engine.serve_newest())
            loading.add_done_callback(report)
            yield
            loading.cancel()
            await asyncio.wait([loading])

    return lifespan


def _include_routes(app: FastAPI, settings: Settings) -> None:
    app.include_router(predict.router, dependencies=[requires(AccessScope.PREDICT)])
    explaining_routes = (
        activations,
        gradcam,
        explain_exam,
        exam_pixels,
        image_objects,
        exam_objects,
    )
    for explaining in explaining_routes:
        app.include_router(explaining.router, dependencies=[requires(AccessScope.EXPLAIN)])
    for describing in (model_version, model_curves, model_scorecard):
        app.include_router(describing.router, dependencies=[requires()])
    app.include_router(model_version.admin_router, dependencies=[requires(AccessScope.ADMIN)])
    for open_to_all in (health, front_page, documentation_pages):
        app.include_router(open_to_all.router)
    _include_inference_routes(app)
    if settings.viewer:
        app.include_router(viewer_pages.router)


def _include_inference_routes(app: FastAPI) -> None:
    """Add the routes of the Open Inference Protocol."""
    app.include_router(inference_server.health_router)
    app.include_router(inference_server.router, dependencies=[requires()])
    # A request that explains needs that scope, too, which it checks when its body tells so.
    app.include_router(open_inference.router, dependencies=[requires(AccessScope.PREDICT)])


def _gate(settings: Settings) -> AccessGate:
    tokens = None
    if settings.oidc_issuer is not None and settings.oidc_audience is not None:
        jwks = None if settings.oidc_jwks is None else str(settings.oidc_jwks)
        tokens = TokenVerifier(
            settings.oidc_issuer,
            settings.oidc_audience,
            ProviderKeys(settings.oidc_issuer, jwks),
            settings.oidc_leeway_seconds,
        )

    # Without authentication, only callers on this machine may change the model.
    anonymous = set(AccessScope) if settings.is_loopback else set(AccessScope) - {AccessScope.ADMIN}
    return AccessGate(
        keys=None if settings.keys is None else KeyFile(settings.keys),
        tokens=tokens,
        rates=None if settings.rate_per_minute is None else Rates(settings.rate_per_minute),
        anonymous_scopes=anonymous,
    )


def _audit(settings: Settings) -> Audit | None:
    if settings.audit_log is None or settings.audit_key is None:
        return None
    return Audit(settings.audit_log, settings.audit_key.get_secret_value())


def _add_middleware(app: MammolensApp, settings: Settings) -> None:
    """Add the middleware. The last one added is the first to see a request."""
    exposed = [
        *responses.PICTURE_HEADERS,
        *responses.HEAT_HEADERS,
        LENGTH_HEADER,
        "Retry-After",
        "X-Request-ID",
    ]
    app.add_middleware(
        CrossOrigin,
        origins=split_list(settings.cors_origins or ""),
        exposed=exposed,
        # A page cannot have a key. Without one it may do what the browser's machine may.
        guarded=["/model/reload"] if settings.authenticates else None,
    )
    app.add_middleware(
        HostNames,
        allowed=None if settings.allowed_hosts is None else split_list(settings.allowed_hosts),
        this_machine=settings.is_loopback and not settings.authenticates,
    )
    app.add_middleware(SecurityHeaders)
    if app.parts.audit is not None:
        app.add_middleware(InferenceAudit, audit=app.parts.audit)
    if settings.traces is not None:
        # These packages come with the extra `tracing`.
        from service.api.middleware.tracing import Tracing, provider_for  # noqa: PLC0415

        app.add_middleware(Tracing, provider=provider_for(str(settings.traces)))
    app.add_middleware(RequestLog, metrics=app.parts.metrics)
