"""POST /v2/models/{name}/infer, with or without a version: inference by tensors."""

from typing import Any

from fastapi import APIRouter, Depends, Response

from service.api.inference.inference_request import INFERENCE_ERRORS, InferRequest
from service.api.inference.tensor_names import LENGTH_HEADER
from service.api.openapi.inference_body import INFERENCE_BODY
from service.api.options import ModelNamePath, ModelVersionPath, NoQuery, refuse_repeated
from service.api.schemas import InferenceAnswer

router = APIRouter(
    prefix="/v2/models/{name}",
    tags=["Open Inference Protocol"],
    dependencies=[Depends(refuse_repeated)],
)

_TENSORS = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_LENGTH = {"description": "Bytes of the JSON before binary tensors.", "schema": {"type": "integer"}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": _TENSORS, "headers": {LENGTH_HEADER: _LENGTH}}
}


@router.post(
    "/infer",
    operation_id="infer",
    summary="Inference by tensors",
    response_model=InferenceAnswer,
    response_description="The wanted outputs.",
    responses=_ANSWERS | INFERENCE_ERRORS,
    openapi_extra=INFERENCE_BODY,
)
async def infer(name: ModelNamePath, request: InferRequest, _: NoQuery) -> Response:
    """Predict mammograms, and explain them if the parameter `explain` names a method."""
    return await request.answer(name, None)


@router.post(
    "/versions/{version}/infer",
    operation_id="infer_version",
    summary="Inference by tensors, with a version",
    response_model=InferenceAnswer,
    response_description="The wanted outputs.",
    responses=_ANSWERS | INFERENCE_ERRORS,
    openapi_extra=INFERENCE_BODY,
)
async def infer_version(
    name: ModelNamePath, version: ModelVersionPath, request: InferRequest, _: NoQuery
) -> Response:
    """Do the same with a version, which must be the one that is served."""
    return await request.answer(name, version)
