"""GET /model and /model/layers: the served model and its layers.

POST /model/reload: swap in the newest version.
"""

from fastapi import APIRouter, Request, Response

from service import pipeline
from service.api import responses
from service.api.dependencies import AnyEngine
from service.api.negotiation import MediaType, negotiate
from service.api.options import NoQuery
from service.api.problems.documentation import document
from service.api.problems.http_errors import InvalidParameters
from service.api.problems.problem_types import ACCESS_ERRORS
from service.api.schemas import LayersAnswer, LevelDecisions, ModelAnswer, Origin
from service.errors import BundleError, Draining, NotAcceptable, NotReady
from service.model import Model
from service.observability.stopwatch import Stopwatch

router = APIRouter(tags=["Model"])
admin_router = APIRouter(tags=["Model"])
"""Separate: it needs the admin scope, and a second dependency would count requests twice."""

_PROBLEMS = document(NotReady, Draining, NotAcceptable, InvalidParameters, *ACCESS_ERRORS)


@router.get(
    "/model",
    operation_id="describe_model",
    summary="The model's facts",
    response_model=ModelAnswer,
    response_description="Facts of the manifest.",
    responses=_PROBLEMS,
)
async def describe_model(request: Request, engine: AnyEngine, _: NoQuery) -> Response:
    """Return the model's identity, training data, measured figures, limitations and warnings."""
    negotiate(request, MediaType.JSON)
    return responses.as_json(_facts(engine.require_model()), Stopwatch())


@admin_router.post(
    "/model/reload",
    operation_id="reload_model",
    summary="Serve the newest version",
    response_model=ModelAnswer,
    response_description="Facts of the version that is served now.",
    responses=_PROBLEMS | document(BundleError),
)
async def reload_model(request: Request, engine: AnyEngine, _: NoQuery) -> Response:
    """Load and check the newest version beside the served one, then swap them.

    No request fails meanwhile. If the new version cannot be served, the previous one stays in use.
    """
    negotiate(request, MediaType.JSON)
    engine.require_model()
    model = await engine.served.reload()
    return responses.as_json(_facts(model), Stopwatch())


@router.get(
    "/model/layers",
    operation_id="list_layers",
    summary="Layers that can be explained",
    response_model=LayersAnswer,
    response_description="The convolutional layers in order of depth.",
    responses=_PROBLEMS,
)
async def list_layers(request: Request, engine: AnyEngine, _: NoQuery) -> Response:
    """Return the convolutional layers with stage, receptive field and how to read their maps."""
    negotiate(request, MediaType.JSON)
    manifest = engine.require_model().manifest
    body = LayersAnswer(
        default_layer=manifest.default_layer,
        layers=[responses.layer(layer) for layer in manifest.layers],
    )
    return responses.as_json(body, Stopwatch())


def _facts(model: Model) -> ModelAnswer:
    manifest = model.manifest
    levels = manifest.levels
    provenance = manifest.provenance
    return ModelAnswer(
        model=responses.model_name(model),
        created=manifest.created.isoformat(),
        classes=list(manifest.classes),
        positive_class=manifest.positive_class,
        threshold=manifest.threshold,
        threshold_rule=manifest.threshold_rule,
        temperature=manifest.temperature,
        input_height=manifest.preprocessing.height,
        input_width=manifest.preprocessing.width,
        default_layer=manifest.default_layer,
        training=manifest.training,
        figures=dict(manifest.figures),
        limitations=manifest.limitations,
        warnings=responses.warnings(pipeline.model_warnings(model)),
        offset=manifest.offset,
        deployment_prevalence=manifest.deployment_prevalence,
        levels=None if levels is None else LevelDecisions.model_validate(levels),
        provenance=None if provenance is None else Origin.model_validate(provenance),
    )
