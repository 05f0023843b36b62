"""POST /exam/dicom: objects for archives about an exam, in one body that archives store."""

from functools import partial

from fastapi import APIRouter, Depends, Response

from service import errors, pipeline
from service.api import responses
from service.api.exam_request import (
    ExamCall,
    ExamOutcome,
    ExamRequest,
    document_exam_errors,
    every_warning,
)
from service.api.held_response import HeldResponse
from service.api.negotiation import MediaType
from service.api.object_building import hold_objects, order_objects
from service.api.object_options import ExamObjectOptions, ExamObjectQuery
from service.api.object_responses import document_objects
from service.api.options import refuse_repeated
from service.api.upload.body_types import EXAM_BODY
from service.pipeline import THUMBNAIL_EDGE, ExamQuestion

router = APIRouter(tags=["Mammograms"], dependencies=[Depends(refuse_repeated)])


@router.post(
    "/exam/dicom",
    operation_id="explain_exam_objects",
    summary="DICOM objects of the decisions on an exam",
    response_class=Response,
    responses=document_objects(
        "The objects, each as a part of the type `application/dicom`. The boundary is always "
        "`mammolens`, so that the body can be sent on to an archive as it comes."
    )
    | document_exam_errors(
        errors.NotStorable,
        errors.DecidedNegative,
        errors.NoRegion,
        errors.NoObject,
        errors.ObjectsTooLarge,
    ),
    openapi_extra=EXAM_BODY,
)
async def explain_exam_objects(request: ExamRequest, options: ExamObjectQuery) -> Response:
    """Return objects about an exam of DICOM images, which belong to their study and patient."""
    work = partial(_explain, options)
    return await request.answer(work, options.question(), MediaType.RELATED)


def _explain(options: ExamObjectOptions, call: ExamCall) -> ExamOutcome:
    question = ExamQuestion(options.question(), THUMBNAIL_EDGE, with_headers=True)
    exam = call.explain(question)
    results = pipeline.exam_results(exam, call.model, question)
    order = order_objects(results, options.wanted(), options, call.request_id)

    sources = pipeline.archive_sources(exam, call.files)
    call.files.clear()
    hold_objects(call.held, order, sources, call.run_task, call.timer)

    headers = responses.evidence(call.model, every_warning(exam, results), call.timer)
    return ExamOutcome(HeldResponse(call.held, call.media_type, headers), exam)
