"""GET /v2 and below: health and metadata as the Open Inference Protocol has them."""

from fastapi import APIRouter

from service import __version__
from service.api import schemas
from service.api.application import AppParts
from service.api.dependencies import AnyEngine, AnyParts
from service.api.inference.inference_request import check_model
from service.api.inference.model_metadata import describe
from service.api.inference.tensor_names import EXTENSION
from service.api.options import ModelNamePath, ModelVersionPath, NoQuery
from service.api.problems.documentation import document_inference
from service.api.problems.http_errors import InvalidParameters
from service.api.problems.problem_types import ACCESS_ERRORS
from service.api.routes.health import OPEN, check_ready
from service.errors import AuditUnavailable, Draining, NotReady, UnknownModel
from service.runtime.engine import Engine

router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"])
"""Routes for callers with a key."""
health_router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"])
"""Routes for all callers."""

_MODEL_ERRORS = document_inference(
    UnknownModel, NotReady, Draining, InvalidParameters, *ACCESS_ERRORS
)


@health_router.get(
    "/health/live",
    operation_id="check_server_live",
    summary="Alive, for a model platform",
    response_description="The process answers.",
    responses=document_inference(InvalidParameters),
    openapi_extra=OPEN,
)
async def check_server_live(_: NoQuery) -> schemas.ServerLive:
    """Answer while the process lives."""
    return schemas.ServerLive(live=True)


@health_router.get(
    "/health/ready",
    operation_id="check_server_ready",
    summary="Ready, for a model platform",
    response_description="The model is loaded and checked.",
    responses=document_inference(NotReady, Draining, AuditUnavailable, InvalidParameters),
    openapi_extra=OPEN,
)
async def check_server_ready(parts: AnyParts, query: NoQuery) -> schemas.ServerReady:
    """Answer as /readyz does."""
    await check_ready(parts, query)
    return schemas.ServerReady(ready=True)


@router.get("/", include_in_schema=False)
@router.get(
    "",
    operation_id="describe_server",
    summary="The server",
    response_description="Name, version and extensions of the protocol.",
    responses=document_inference(InvalidParameters, *ACCESS_ERRORS),
)
async def describe_server(_: NoQuery) -> schemas.ServerFacts:
    """Return the metadata of the server."""
    return schemas.ServerFacts(name="mammolens", version=__version__, extensions=[EXTENSION])


@router.get(
    "/models/{name}",
    operation_id="describe_inference_model",
    summary="The model's tensors",
    response_description="Inputs, outputs and facts of the model.",
    responses=_MODEL_ERRORS,
)
async def describe_inference_model(
    name: ModelNamePath, parts: AnyParts, _: NoQuery
) -> schemas.InferenceModel:
    """Return the metadata of the model. Its inputs are alternatives."""
    return _describe(parts, name, None)


@router.get(
    "/models/{name}/versions/{version}",
    operation_id="describe_inference_version",
    summary="The tensors of a version",
    response_description="Inputs, outputs and facts of the model.",
    responses=_MODEL_ERRORS,
)
async def describe_inference_version(
    name: ModelNamePath, version: ModelVersionPath, parts: AnyParts, _: NoQuery
) -> schemas.InferenceModel:
    """Return the metadata of the version, if it is the one that is served."""
    return _describe(parts, name, version)


@router.get(
    "/models/{name}/ready",
    operation_id="check_model_ready",
    summary="Whether the model is ready",
    response_description="The model can be used.",
    responses=_MODEL_ERRORS,
)
async def check_model_ready(
    name: ModelNamePath, engine: AnyEngine, _: NoQuery
) -> schemas.ModelReady:
    """Answer 200 if the model is served."""
    return _check_ready(engine, name, None)


@router.get(
    "/models/{name}/versions/{version}/ready",
    operation_id="check_version_ready",
    summary="Whether a version is ready",
    response_description="The version can be used.",
    responses=_MODEL_ERRORS,
)
async def check_version_ready(
    name: ModelNamePath, version: ModelVersionPath, engine: AnyEngine, _: NoQuery
) -> schemas.ModelReady:
    """Answer 200 if that version is served."""
    return _check_ready(engine, name, version)


def _describe(parts: AppParts, name: str, version: str | None) -> schemas.InferenceModel:
    model = parts.engine.require_model()
    check_model(model.manifest, name, version)
    return describe(model, parts.settings.engine)


def _check_ready(engine: Engine, name: str, version: str | None) -> schemas.ModelReady:
    check_model(engine.require_model().manifest, name, version)
    return schemas.ModelReady(name=name, ready=True)
