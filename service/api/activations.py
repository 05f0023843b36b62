"""POST /activations/{layer}: what the filters of a layer saw."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from service import errors, pipeline
from service.api import answers, examples, schemas
from service.api.engine import AnyEngine, Lane, Place, RequestTimeout
from service.api.metrics import observe
from service.api.negotiation import MediaType, negotiate
from service.api.options import ActivationsOptions, ActivationsQuery
from service.api.predict import UPLOAD_ERRORS
from service.api.problems import document
from service.api.upload import BODY, read_upload
from service.model import Model
from service.pipeline import Activations
from service.stopwatch import Stopwatch

router = APIRouter(tags=["Mammograms"])


@router.post(
    "/activations/{layer:path}",
    operation_id="show_activations",
    summary="What a layer's filters saw",
    response_model=schemas.ActivationsAnswer,
    responses=answers.picture("Every filter's map with its statistics, or a montage of all maps.", examples.ACTIVATIONS)
    | document(*UPLOAD_ERRORS, errors.UnknownLayer),
    openapi_extra=BODY,
)
async def show_activations(
    request: Request,
    engine: AnyEngine,
    layer: Annotated[
        str, Path(description="Convolutional layer; GET /model/layers lists them.", examples=["conv2d_1"])
    ],
    options: ActivationsQuery,
    seconds: RequestTimeout = None,
) -> Response:
    """The activation maps of one convolutional layer: a PNG montage, or JSON with each filter's map and statistics."""
    media_type = negotiate(request, MediaType.JSON, MediaType.PNG)
    watch = Stopwatch()

    def work(place: Place, data: bytes) -> tuple[Activations, Response]:
        model = place.model
        seen = pipeline.show_activations(model, place.read, data, watch, layer=layer)
        place.permit.check()
        if media_type is MediaType.JSON:
            return seen, answers.as_json(_body(model, seen, options, watch), watch)
        text = answers.png_text(model, seen.layer.name, seen.cautions)
        png = pipeline.draw_montage(seen, options.scale, options.colormap, text, watch)
        return seen, answers.as_png(png, model, seen.cautions, watch)

    async with engine.admit(Lane.EXPLAIN, seconds) as place:
        data = await read_upload(request, place)
        seen, answer = await place.run(request, lambda: work(place, data))
    observe(request, watch, seen.cautions)
    return answer


def _body(model: Model, seen: Activations, options: ActivationsOptions, watch: Stopwatch) -> schemas.ActivationsAnswer:
    pictures = pipeline.draw_filters(seen, options.scale, watch)
    filters = [
        schemas.Filter(
            index=index,
            mean=statistics.mean,
            maximum=statistics.maximum,
            zero_share=statistics.zero_share,
            black=picture.black,
            white=picture.white,
            png=answers.base64_png(picture.png),
        )
        for index, (statistics, picture) in enumerate(zip(seen.statistics, pictures, strict=True))
    ]
    return schemas.ActivationsAnswer(
        model=answers.model_name(model),
        image=answers.image(seen.reading),
        layer=answers.layer(seen.layer),
        cell_to_source=answers.matrix(seen.to_source),
        filters=filters,
        diagnostics=answers.diagnostics(seen.diagnostics),
        warnings=list(seen.cautions),
        timings_ms=watch.milliseconds,
    )
