"""GET /model and /model/layers: what answers here, and which layers one may ask for; POST /model/reload."""

from fastapi import APIRouter, Request, Response

from service.api import answers, examples
from service.api.engine import AnyEngine
from service.api.kinds import ACCESS, InvalidParameters
from service.api.negotiation import MediaType, negotiate
from service.api.options import NoQuery
from service.api.problems import document
from service.api.schemas import LayersAnswer, ModelAnswer
from service.errors import BundleError, Draining, NotAcceptable, NotReady
from service.model import Model
from service.stopwatch import Stopwatch

router = APIRouter(tags=["Model"])
changing = APIRouter(tags=["Model"])
"""Apart, as it asks more of its callers; asked of twice, they would be counted twice."""
_PROBLEMS = document(NotReady, Draining, NotAcceptable, InvalidParameters, *ACCESS)


@router.get(
    "/model",
    operation_id="describe_model",
    summary="The model's facts",
    response_model=ModelAnswer,
    response_description="The manifest's facts.",
    responses=examples.show(examples.MODEL) | _PROBLEMS,
)
async def describe_model(request: Request, engine: AnyEngine, _: NoQuery) -> Response:
    """What the model is, what it was trained on, how well it did, what it must not be used for."""
    negotiate(request, MediaType.JSON)
    return answers.as_json(_facts(engine.require_model()), Stopwatch())


@changing.post(
    "/model/reload",
    operation_id="reload_model",
    summary="Serve the newest version",
    response_model=ModelAnswer,
    response_description="The facts of the version that answers now.",
    responses=examples.show(examples.MODEL) | _PROBLEMS | document(BundleError),
)
async def reload_model(request: Request, engine: AnyEngine, _: NoQuery) -> Response:
    """Loads the newest version in the model's directory beside the one that answers, checks it, and swaps them.

    No request fails meanwhile. Where the new version cannot be served, the one before it goes on.
    """
    negotiate(request, MediaType.JSON)
    engine.require_model()
    return answers.as_json(_facts(await engine.load()), Stopwatch())


def _facts(model: Model) -> ModelAnswer:
    manifest = model.manifest
    return ModelAnswer(
        model=answers.model_name(model),
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
    )


@router.get(
    "/model/layers",
    operation_id="list_layers",
    summary="The layers one may ask for",
    response_model=LayersAnswer,
    response_description="The convolutional layers in the order of depth.",
    responses=examples.show(examples.LAYERS) | _PROBLEMS,
)
async def list_layers(request: Request, engine: AnyEngine, _: NoQuery) -> Response:
    """The convolutional layers with their stage, receptive field and a sentence on how to read them."""
    negotiate(request, MediaType.JSON)
    manifest = engine.require_model().manifest
    body = LayersAnswer(
        default_layer=manifest.default_layer, layers=[answers.layer(found) for found in manifest.layers]
    )
    return answers.as_json(body, Stopwatch())
