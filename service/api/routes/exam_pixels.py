"""POST /exam/pixels: the decisions on an exam, with the pixels and the heat for a viewer."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, Response

from service import errors, pipeline
from service.api import responses, schemas
from service.api.exam_request import (
    ExamCall,
    ExamOutcome,
    ExamRequest,
    document_exam_errors,
    every_warning,
)
from service.api.held_response import FormField, HeldResponse
from service.api.negotiation import MediaType
from service.api.options import ExamPixelsOptions, ExamPixelsQuery, refuse_repeated
from service.api.pixel_parts import PixelParts, pack_heat
from service.api.routes import explain_exam
from service.api.upload.body_types import EXAM_BODY
from service.pipeline import ExamQuestion, ExplainedImage, SampleOrder
from service.records import RefusedImage

router = APIRouter(tags=["Mammograms"], dependencies=[Depends(refuse_repeated)])


# Generators of clients leave out the schemas of forms, so the type of the answer is bytes.
_SCHEMA = {
    "type": "string",
    "format": "binary",
    "contentMediaType": MediaType.FORM.value,
    "contentSchema": {
        "type": "object",
        "required": ["answer"],
        "properties": {"answer": {"$ref": "#/components/schemas/ExamPixelsAnswer"}},
    },
}
_FORM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A form. The part `answer` is JSON. The files `pixels-<i>` and `heat-<i>` "
        "hold the samples and the heat of image i: uint16, little endian, row by row, compressed "
        "by gzip. The boundary is always `mammolens`.",
        "content": {MediaType.FORM.value: {"schema": _SCHEMA}},
        "headers": responses.PICTURE_HEADERS,
    }
}


@router.post(
    "/exam/pixels",
    operation_id="explain_exam_pixels",
    summary="Decisions on an exam, with its pixels for a viewer",
    response_class=Response,
    responses=_FORM | document_exam_errors(errors.ObjectsTooLarge),
    openapi_extra=EXAM_BODY,
)
async def explain_exam_pixels(request: ExamRequest, options: ExamPixelsQuery) -> Response:
    """Return the decisions on an exam, with the samples of its images and their heat.

    A viewer can show the images in any window, and the heat over them.
    """
    work = partial(_explain, options)
    return await request.answer(work, options.question(), MediaType.FORM)


def _explain(options: ExamPixelsOptions, call: ExamCall) -> ExamOutcome:
    order = SampleOrder(options.long_edge(), call.hold)
    question = ExamQuestion(options.question(), samples=order)
    exam = call.explain(question)
    call.files.clear()

    call.check()
    results = pipeline.exam_results(exam, call.model, question)
    parts = [_parts(options, call, image) for image in exam.images]
    decisions = explain_exam.body(call.model, exam, results, options.heat, call.timer)
    described = [part.describe() if part else None for part in parts]
    answer = schemas.ExamPixelsAnswer(**dict(decisions), pixels=described)

    fields = [FormField("answer", MediaType.JSON)]
    call.held.add(answer.model_dump_json(by_alias=True).encode("utf-8"))
    for position, part in enumerate(parts):
        fields += part.keep(call, position) if part else []

    headers = responses.evidence(call.model, every_warning(exam, results), call.timer)
    return ExamOutcome(HeldResponse(call.held, call.media_type, headers, fields), exam)


def _parts(
    options: ExamPixelsOptions, call: ExamCall, image: ExplainedImage | RefusedImage
) -> PixelParts | None:
    """Return the pixels of an image, None if it was refused."""
    if isinstance(image, RefusedImage) or image.samples is None:
        return None
    is_shown = explain_exam.is_shown(call.model, image, options.heat)
    heat = pack_heat(call, image.explanation) if is_shown else None
    return PixelParts(image.samples, heat)
