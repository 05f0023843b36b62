"""The answer to an inference: JSON, and binary tensors after it where they are wanted."""

from collections.abc import Sequence

from fastapi import Response

from service.api import responses, schemas
from service.api.inference.output_tensors import InferredImage, OutputTensor, tensors_of
from service.api.inference.request_json import InferenceRequest
from service.api.inference.tensor_names import LENGTH_HEADER
from service.api.negotiation import MediaType
from service.model import Model
from service.observability.stopwatch import Stopwatch

_BINARY = "application/octet-stream"


def respond(
    model: Model, request: InferenceRequest, images: Sequence[InferredImage], timer: Stopwatch
) -> Response:
    """Return the response with the wanted outputs."""
    wanted = request.wanted()
    manifest = model.manifest
    outputs = []
    binary = []
    for tensor in tensors_of(images, manifest, wanted):
        if wanted[tensor.name]:
            packed = tensor.packed()
            binary.append(packed)
            outputs.append(_output(tensor, {"binary_data_size": len(packed)}, None))
        else:
            outputs.append(_output(tensor, None, list(tensor.values)))

    answer = schemas.InferenceAnswer(
        model_name=manifest.name,
        model_version=str(manifest.version),
        id=request.id,
        parameters=schemas.InferenceFacts(
            digest=model.digest,
            intended_use=manifest.intended_use,
            positive_class=manifest.positive_class,
            threshold=manifest.threshold,
        ),
        outputs=outputs,
    )
    content = answer.model_dump_json(exclude_none=True).encode()
    headers = {"Server-Timing": responses.server_timing(timer)}
    if not binary:
        return Response(content, headers=headers, media_type=MediaType.JSON)

    headers[LENGTH_HEADER] = str(len(content))
    return Response(b"".join([content, *binary]), headers=headers, media_type=_BINARY)


def _output(
    tensor: OutputTensor, parameters: dict[str, int] | None, data: list[bool | float | str] | None
) -> schemas.InferenceOutput:
    return schemas.InferenceOutput(
        name=tensor.name,
        datatype=tensor.datatype,
        shape=tensor.shape,
        parameters=parameters,
        data=data,
    )
