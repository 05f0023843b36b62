"""POST /gradcam: a prediction, where in the image it came from, and how far to trust that.

POST /gradcam.png, /gradcam.jpeg and /gradcam.webp: the same as a picture.
"""

from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, Response
from fastapi.exceptions import RequestValidationError

from service import errors, pipeline
from service.api import responses, schemas
from service.api.image_request import ImageAnswer, ImageCall, ImageRequest, document_image_errors
from service.api.negotiation import MediaType
from service.api.options import GradcamOptions, GradcamQuery, refuse_repeated
from service.api.upload.body_types import BODY
from service.model import Model
from service.observability.stopwatch import Stopwatch
from service.pipeline import Explanation
from service.rendering import FramedPicture, Render
from service.runtime.engine import Lane

router = APIRouter(tags=["Mammograms"], dependencies=[Depends(refuse_repeated)])


_ERRORS = document_image_errors(errors.UnknownLayer, errors.UnknownClass, errors.TooCostly)
_OPAQUE = "JPEG has no transparency. /gradcam.png and /gradcam.webp have"


def _document(media_type: MediaType) -> dict[int | str, dict[str, Any]]:
    description = "The heatmap in the frame of the source image."
    return responses.document_picture(media_type, description, responses.HEAT_HEADERS) | _ERRORS


@router.post(
    "/gradcam",
    operation_id="explain",
    summary="Where the prediction came from",
    response_model=schemas.GradcamAnswer,
    response_description="The heatmap in the frame of the source image, with its diagnostics.",
    responses=responses.TIMED | _ERRORS,
    openapi_extra=BODY,
)
async def explain(request: ImageRequest, options: GradcamQuery) -> Response:
    """Return the heatmap of one class with values, geometry and regions.

    With `Accept: image/png` the answer is that of `/gradcam.png`.
    """
    return await _answer(request, options, MediaType.JSON, MediaType.PNG)


@router.post(
    "/gradcam.png",
    operation_id="explain_picture",
    summary="Picture of where the prediction came from",
    response_class=Response,
    responses=_document(MediaType.PNG),
    openapi_extra=BODY,
)
async def explain_picture(request: ImageRequest, options: GradcamQuery) -> Response:
    """Return the heatmap of one class as a PNG. It takes the options of `/gradcam`."""
    return await _answer(request, options, MediaType.PNG)


@router.post(
    "/gradcam.jpeg",
    operation_id="explain_jpeg",
    summary="JPEG of where the prediction came from",
    response_class=Response,
    responses=_document(MediaType.JPEG),
    openapi_extra=BODY,
)
async def explain_jpeg(request: ImageRequest, options: GradcamQuery) -> Response:
    """Return the heatmap of one class over the mammogram as a JPEG of quality 90.

    It takes the options of `/gradcam`, except `render=heatmap`: JPEG has no transparency.
    """
    if options.render is Render.HEATMAP:
        raise RequestValidationError([{"loc": ("query", "render"), "msg": _OPAQUE}])
    return await _answer(request, options, MediaType.JPEG)


@router.post(
    "/gradcam.webp",
    operation_id="explain_webp",
    summary="WebP of where the prediction came from",
    response_class=Response,
    responses=_document(MediaType.WEBP),
    openapi_extra=BODY,
)
async def explain_webp(request: ImageRequest, options: GradcamQuery) -> Response:
    """Return the heatmap of one class as a WebP: over the mammogram of quality 90, alone lossless.

    It takes the options of `/gradcam`.
    """
    return await _answer(request, options, MediaType.WEBP)


async def _answer(request: ImageRequest, options: GradcamOptions, *offers: MediaType) -> Response:
    question = options.question()
    passes = partial(pipeline.count_passes, method=question.method, full=question.full)
    work = partial(_explain, options)
    return await request.answer(Lane.EXPLAIN, work, options, *offers, passes=passes)


def _explain(options: GradcamOptions, call: ImageCall) -> ImageAnswer:
    model = call.model
    style = options.style(call.media_type)
    render = options.rendering(call.media_type)

    # An overlay needs the mammogram itself as well.
    picture_edge = pipeline.picture_edge(render, style)
    read = partial(call.read, picture_edge=picture_edge)
    explanation = pipeline.explain(model, read, call.data, call.timer, options.question())

    call.check()
    text = picture_text(model, explanation)
    picture = pipeline.draw_heatmap(explanation, render, style, text, call.timer)

    as_json = call.media_type is MediaType.JSON
    content = body(model, explanation, picture, call.timer) if as_json else picture.content
    probability = explanation.prediction.probabilities[model.manifest.positive_class]
    return ImageAnswer(content, explanation.warnings, probability, _reading_facts(explanation))


def picture_text(model: Model, explanation: Explanation) -> dict[str, str]:
    """Return the provenance that the picture of a heatmap holds."""
    layer = explanation.class_explanation.layer
    text = responses.picture_text(model, layer.name if layer else "input", explanation.warnings)
    chosen = {"Class": explanation.class_name, "Method": explanation.class_explanation.method}
    return text | chosen | _reading_facts(explanation)


def _reading_facts(explanation: Explanation) -> dict[str, str]:
    """Return how to read the picture: the scale of its heat, and the note if there is one."""
    note = {} if explanation.note is None else {"Note": explanation.note}
    return {"Scale": explanation.strength.scale.value} | note


def body(
    model: Model, explanation: Explanation, picture: FramedPicture, timer: Stopwatch
) -> schemas.GradcamAnswer:
    """Return the JSON answer."""
    prediction = explanation.prediction
    evidence = explanation.class_explanation
    return schemas.GradcamAnswer(
        model=responses.model_name(model),
        image=responses.image(prediction.reading),
        prediction=responses.prediction(prediction, model.manifest),
        method=evidence.method,
        layer=responses.layer(evidence.layer) if evidence.layer else None,
        class_name=explanation.class_name,
        diagnostics=responses.diagnostics(explanation.diagnostics),
        picture=schemas.Picture(
            width=picture.width,
            height=picture.height,
            to_source=responses.matrix(picture.to_source),
            png=responses.base64_png(picture.content),
        ),
        warnings=responses.warnings(explanation.warnings),
        timings_ms=timer.milliseconds,
        **dict(responses.heat(explanation)),
    )
