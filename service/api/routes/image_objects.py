"""POST /gradcam/{object}.dcm: an object for archives about one image."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from service import errors, pipeline
from service.api.image_request import ImageAnswer, ImageCall, ImageRequest, document_image_errors
from service.api.negotiation import MediaType
from service.api.object_building import hold_objects, order_objects
from service.api.object_options import ImageObjectOptions, ImageObjectQuery
from service.api.object_responses import document_object
from service.api.options import refuse_repeated
from service.api.upload.body_types import BODY
from service.pipeline import THUMBNAIL_EDGE, ArchiveSource, ExamQuestion
from service.records import ObjectName
from service.runtime.engine import Lane

router = APIRouter(tags=["Mammograms"], dependencies=[Depends(refuse_repeated)])

ObjectPath = Annotated[
    ObjectName,
    Path(
        alias="object",
        description="`summary`: a page, as a Secondary Capture. `report`: the results, as a "
        "structured report. `marks`: the regions, as a structured report. `sc`: the overlay, as a "
        "Secondary Capture. `seg`: the regions, as a Segmentation.",
    ),
]


@router.post(
    "/gradcam/{object}.dcm",  # noqa: FAST003 - the alias of the name
    operation_id="explain_object",
    summary="DICOM object of where the prediction came from",
    response_class=Response,
    responses=document_object("The object as a DICOM file.")
    | document_image_errors(
        errors.UnknownLayer,
        errors.TooCostly,
        errors.NotStorable,
        errors.DecidedNegative,
        errors.NoRegion,
        errors.ObjectsTooLarge,
    ),
    openapi_extra=BODY,
)
async def explain_object(
    request: ImageRequest, name: ObjectPath, options: ImageObjectQuery
) -> Response:
    """Return one object about a DICOM image, which belongs to its study and patient."""
    question = options.question()
    passes = partial(pipeline.count_passes, method=question.method, full=question.full)
    work = partial(_explain, name, options)
    return await request.answer(Lane.EXPLAIN, work, options, MediaType.DICOM, passes=passes)


def _explain(name: ObjectName, options: ImageObjectOptions, call: ImageCall) -> ImageAnswer:
    question = ExamQuestion(options.question(), THUMBNAIL_EDGE, with_headers=True)
    image = pipeline.explain_alone(call.model, call.run_task, call.file, call.timer, question)

    explanation = image.explanation
    results = pipeline.image_results(explanation, image.header, call.model, question.question)
    order = order_objects(results, [name], options, call.request_id)
    sources = {0: ArchiveSource(explanation, call.data)}
    hold_objects(call.held, order, sources, call.run_task, call.timer)

    probability = explanation.prediction.probabilities[call.model.manifest.positive_class]
    return ImageAnswer(call.held, explanation.warnings, probability)
