"""The application: its parts put together, its model loaded beside the first requests."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.cors import CORSMiddleware

from service import __version__, pipeline
from service.access import Access, KeyFile, Rates, Scope, TokenVerifier
from service.api import activations, answers, gradcam, health, predict, problems, scorecard
from service.api import model as model_routes
from service.api.access import SecureAnswers, requires
from service.api.auditing import AuditInferences
from service.api.engine import Engine
from service.api.gauges import Gauges
from service.api.metrics import Metrics
from service.api.observation import ObserveRequests
from service.api.schemas import Problem
from service.audit import Audit
from service.model import Bundle, FakeModel, GoldenCase, Model, newest_version
from service.settings import FAKE, Settings

_log = logging.getLogger("mammolens")
DESCRIPTION = """A mammogram goes in, an explained prediction comes out: a probability of cancer, where in the image it
came from, what each convolutional layer saw, and how far that explanation can be trusted.

Not a medical device. Every answer names its model; errors are `application/problem+json` with a stable `type` and a
remedy.
"""

Load = Callable[[Settings], Model]
Fail = Callable[[BaseException], None]


def _complain(error: BaseException) -> None:
    _log.error("the model cannot be served: %s", error)


def load_model(settings: Settings) -> Model:
    """The model of those settings: verified, replayed against its golden case, warm.

    Raises:
        BundleError: it is missing, damaged, or does not reproduce its golden case.
    """
    if settings.model == FAKE:
        return FakeModel()
    version = newest_version(settings.model)
    bundle = Bundle.load(version, threads=settings.threads)
    pipeline.replay(bundle, GoldenCase.load(version))
    pipeline.warm(bundle)
    return bundle


def create_app(settings: Settings, load: Load = load_model, fail: Fail = _complain) -> FastAPI:
    """The application; it answers /livez at once and everything else when `load` has returned.

    `fail` is told why it could not; the application then lives on without ever being ready.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with app.state.engine.running():
            loading = asyncio.create_task(app.state.engine.serve_newest())
            loading.add_done_callback(lambda done: _tell(done, fail))
            yield
            loading.cancel()
            await asyncio.wait([loading])

    app = FastAPI(
        title="mammolens",
        version=__version__,
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},  # ours names nobody
    )
    app.state.metrics = Metrics()
    app.state.engine = Engine(settings, app.state.metrics, load)
    app.state.access = _access(settings)
    app.include_router(predict.router, dependencies=[requires(Scope.PREDICT)])
    for explaining in (activations, gradcam):
        app.include_router(explaining.router, dependencies=[requires(Scope.EXPLAIN)])
    for telling in (model_routes, scorecard):
        app.include_router(telling.router, dependencies=[requires()])
    app.include_router(model_routes.changing, dependencies=[requires(Scope.ADMIN)])
    app.include_router(health.router)
    problems.install(app)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=[origin.strip() for origin in settings.cors_origins.split(",")],
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Request-Timeout", "X-Request-ID"],
            expose_headers=[*answers.PICTURE_HEADERS, "Retry-After", "X-Request-ID"],
        )
    app.add_middleware(SecureAnswers)
    _watch(app, settings)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # the way FastAPI documents
    return app


def _tell(done: asyncio.Task[None], fail: Fail) -> None:
    if not done.cancelled() and (error := done.exception()):
        fail(error)


def _access(settings: Settings) -> Access:
    """Raises KeysUnavailable where the file of keys cannot be read."""
    tokens = None
    if settings.oidc_issuer is not None and settings.oidc_audience is not None:
        jwks = settings.oidc_jwks
        tokens = TokenVerifier(settings.oidc_issuer, settings.oidc_audience, None if jwks is None else str(jwks))
    return Access(
        keys=None if settings.keys is None else KeyFile(settings.keys),
        tokens=tokens,
        rates=None if settings.rate_per_minute is None else Rates(settings.rate_per_minute),
        anyone=Scope if settings.is_loopback else set(Scope) - {Scope.ADMIN},
    )


def _watch(app: FastAPI, settings: Settings) -> None:
    """Lets those who run the service see what it does; what is added last sees a request first."""
    app.state.metrics.register(Gauges(app.state.engine))
    app.state.audit = None
    if settings.audit_log is not None and settings.audit_key is not None:
        app.state.audit = Audit(settings.audit_log, settings.audit_key.get_secret_value())
        app.add_middleware(AuditInferences, audit=app.state.audit)
    if settings.traces is not None:
        from service.api.tracing import TraceRequests, provider_for  # noqa: PLC0415 - packages of an extra

        app.add_middleware(TraceRequests, provider=provider_for(str(settings.traces)))
    app.add_middleware(ObserveRequests, metrics=app.state.metrics)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the one error shape that is really sent."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            license_info=app.license_info,
            routes=app.routes,
        )
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= problem.pop("$defs") | {"Problem": problem}
        app.openapi_schema = document
    return app.openapi_schema
