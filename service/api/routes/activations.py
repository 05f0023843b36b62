"""POST /activations/{layer}: the activation maps of a layer's filters.

POST /activations/{layer}.png, .jpeg and .webp: the same as a montage.
"""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response

from service import errors, pipeline
from service.api import responses, schemas
from service.api.dependencies import AnyEngine
from service.api.image_request import ImageAnswer, ImageCall, ImageRequest, document_image_errors
from service.api.negotiation import MediaType
from service.api.options import ActivationsOptions, ActivationsQuery, refuse_repeated
from service.api.upload.body_types import BODY
from service.pipeline import Activations
from service.runtime.engine import Lane

router = APIRouter(tags=["Mammograms"], dependencies=[Depends(refuse_repeated)])

_ERRORS = document_image_errors(errors.UnknownLayer)


def _document(media_type: MediaType) -> dict[int | str, dict[str, Any]]:
    description = "A montage of the maps of all filters."
    return responses.document_picture(media_type, description) | _ERRORS


LayerName = Annotated[
    str,
    Path(description="Convolutional layer. GET /model/layers lists them.", examples=["conv2d_1"]),
]


# Before the last route, whose layer would take the suffix.
@router.post(
    "/activations/{layer:path}.png",
    operation_id="draw_activations",
    summary="Montage of a layer's activation maps",
    response_class=Response,
    responses=_document(MediaType.PNG),
    openapi_extra=BODY,
)
async def draw_activations(
    request: ImageRequest, layer: LayerName, options: ActivationsQuery
) -> Response:
    """Return the activation maps of one layer as one PNG."""
    return await request.answer(
        Lane.EXPLAIN, partial(_show, layer, options), options, MediaType.PNG
    )


@router.post(
    "/activations/{layer:path}.jpeg",
    operation_id="draw_activations_jpeg",
    summary="Montage of a layer's activation maps as JPEG",
    response_class=Response,
    responses=_document(MediaType.JPEG),
    openapi_extra=BODY,
)
async def draw_activations_jpeg(
    request: ImageRequest, layer: LayerName, options: ActivationsQuery
) -> Response:
    """Return the activation maps of one layer as one JPEG of quality 90."""
    return await request.answer(
        Lane.EXPLAIN, partial(_show, layer, options), options, MediaType.JPEG
    )


@router.post(
    "/activations/{layer:path}.webp",
    operation_id="draw_activations_webp",
    summary="Montage of a layer's activation maps as WebP",
    response_class=Response,
    responses=_document(MediaType.WEBP),
    openapi_extra=BODY,
)
async def draw_activations_webp(
    request: ImageRequest, layer: LayerName, options: ActivationsQuery
) -> Response:
    """Return the activation maps of one layer as one WebP of quality 90."""
    return await request.answer(
        Lane.EXPLAIN, partial(_show, layer, options), options, MediaType.WEBP
    )


@router.post(
    "/activations/{layer:path}",
    operation_id="show_activations",
    summary="Activation maps of a layer's filters",
    response_model=schemas.ActivationsAnswer,
    response_description="The map of every filter with its statistics.",
    responses=responses.TIMED | _ERRORS,
    openapi_extra=BODY,
)
async def show_activations(
    request: ImageRequest, layer: LayerName, options: ActivationsQuery
) -> Response:
    """Return the activation maps of one layer.

    With `Accept: image/png` the answer is that of `/activations/{layer}.png`.
    """
    return await request.answer(
        Lane.EXPLAIN, partial(_show, layer, options), options, MediaType.JSON, MediaType.PNG
    )


@router.post("/activations", include_in_schema=False)
async def ask_for_layer(engine: AnyEngine) -> Response:
    """Answer a request that names no layer with the layers that there are."""
    layers = engine.require_model().manifest.layers
    raise errors.UnknownLayer([layer.name for layer in layers])


def _show(layer: str, options: ActivationsOptions, call: ImageCall) -> ImageAnswer:
    activations = pipeline.show_activations(
        call.model, call.read, call.data, call.timer, layer=layer
    )

    call.check()
    if call.media_type is MediaType.JSON:
        return ImageAnswer(_body(call, activations, options), activations.warnings)

    text = responses.picture_text(call.model, activations.layer.name, activations.warnings)
    picture_format = call.media_type.picture_format
    montage = pipeline.draw_montage(
        activations, options.scale, options.colormap, text, call.timer, picture_format
    )
    return ImageAnswer(montage, activations.warnings)


def _body(
    call: ImageCall, activations: Activations, options: ActivationsOptions
) -> schemas.ActivationsAnswer:
    pictures = pipeline.draw_filters(activations, options.scale, call.timer)
    filters = [
        schemas.Filter(
            index=index,
            mean=statistics.mean,
            maximum=statistics.maximum,
            zero_share=statistics.zero_share,
            black=picture.black,
            white=picture.white,
            png=responses.base64_png(picture.png),
        )
        for index, (statistics, picture) in enumerate(
            zip(activations.statistics, pictures, strict=True)
        )
    ]
    return schemas.ActivationsAnswer(
        model=responses.model_name(call.model),
        image=responses.image(activations.reading),
        layer=responses.layer(activations.layer),
        cell_to_source=responses.matrix(activations.to_source),
        filters=filters,
        diagnostics=responses.diagnostics(activations.diagnostics),
        warnings=responses.warnings(activations.warnings),
        timings_ms=call.timer.milliseconds,
    )
