"""POST /gradcam: a prediction, where in the image it came from, and how far to trust that."""

from functools import partial

from fastapi import APIRouter, Request, Response

from service import errors, pipeline
from service.api import answers, examples, schemas
from service.api.engine import AnyEngine, Lane, Place, RequestTimeout
from service.api.metrics import observe
from service.api.negotiation import MediaType, negotiate
from service.api.options import GradcamQuery
from service.api.predict import UPLOAD_ERRORS
from service.api.problems import document
from service.api.upload import BODY, read_upload
from service.model import Model
from service.pipeline import Explanation
from service.rendering import Picture
from service.stopwatch import Stopwatch

router = APIRouter(tags=["Mammograms"])


@router.post(
    "/gradcam",
    operation_id="explain",
    summary="Where the prediction came from",
    response_model=schemas.GradcamAnswer,
    responses=answers.picture(
        "The heatmap in the frame of the source image; as JSON with its evidence.", examples.GRADCAM
    )
    | document(*UPLOAD_ERRORS, errors.UnknownLayer, errors.UnknownClass),
    openapi_extra=BODY,
)
async def explain(
    request: Request, engine: AnyEngine, options: GradcamQuery, seconds: RequestTimeout = None
) -> Response:
    """The heatmap of one class over the source image: PNG, or JSON with raw values, geometry, regions and evidence."""
    media_type = negotiate(request, MediaType.JSON, MediaType.PNG)
    watch = Stopwatch()

    def work(place: Place, data: bytes) -> tuple[Explanation, Response]:
        model, render, style = place.model, options.what(media_type), options.style(media_type)
        read = partial(place.read, picture_edge=pipeline.picture_edge(render, style))
        found = pipeline.explain(model, read, data, watch, options.question())
        place.permit.check()
        text = answers.png_text(model, found.evidence.layer.name if found.evidence.layer else "input", found.cautions)
        text |= {"Class": found.class_name, "Method": found.evidence.method}
        picture = pipeline.draw_heatmap(found, style, text, watch)
        if media_type is MediaType.PNG:
            return found, answers.as_png(picture.png, model, found.cautions, watch)
        return found, answers.as_json(_body(model, found, picture, watch), watch)

    async with engine.admit(Lane.EXPLAIN, seconds) as place:
        data = await read_upload(request, place)
        found, answer = await place.run(request, lambda: work(place, data))
    positive = place.model.manifest.positive_class
    observe(request, watch, found.cautions, found.prediction.probabilities[positive])
    return answer


def _body(model: Model, found: Explanation, picture: Picture, watch: Stopwatch) -> schemas.GradcamAnswer:
    return schemas.GradcamAnswer(
        model=answers.model_name(model),
        image=answers.image(found.prediction.reading),
        prediction=answers.prediction(found.prediction, model.manifest),
        method=found.evidence.method,
        layer=answers.layer(found.evidence.layer) if found.evidence.layer else None,
        class_name=found.class_name,
        state=found.evidence.heatmap.state,
        peak=found.evidence.heatmap.peak,
        values=found.evidence.heatmap.values.tolist(),
        cell_to_source=answers.matrix(found.evidence.heatmap.to_source),
        diagnostics=answers.diagnostics(found.diagnostics),
        regions=[schemas.Region.model_validate(region) for region in found.regions],
        picture=schemas.Picture(
            width=picture.width,
            height=picture.height,
            to_source=answers.matrix(picture.to_source),
            png=answers.base64_png(picture.png),
        ),
        warnings=list(found.cautions),
        timings_ms=watch.milliseconds,
    )
