"""Declaration of the body of an inference request in OpenAPI, and examples of its routes.

FastAPI cannot derive it, because the routes read the body themselves.
"""

from typing import Any

from service.api.openapi.model_examples import MODEL

_PARAMETERS = {"type": "object", "additionalProperties": True}
_ELEMENTS = {
    "type": "array",
    "description": "The elements in row-major order, flat or nested. Files are in base64.",
    "items": {"anyOf": [{"type": "number"}, {"type": "string"}]},
}
INFERENCE_REQUEST: dict[str, Any] = {
    "type": "object",
    "title": "InferenceRequest",
    "description": "A request with one input.",
    "required": ["inputs"],
    "properties": {
        "id": {"type": "string", "maxLength": 256},
        "parameters": _PARAMETERS
        | {
            "description": "`explain`: the method of a heatmap, such as grad-cam, with `layer`, "
            "`class` and `diagnostics` (quick or full) as for /gradcam. `laterality`, `view`: for "
            "files that do not say. `binary_data_output`: all outputs as binary tensors."
        },
        "inputs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {"$ref": "#/components/schemas/InferenceInput"},
        },
        "outputs": {
            "type": "array",
            "description": "The outputs to answer with. Default: all.",
            "items": {"$ref": "#/components/schemas/InferenceWanted"},
        },
    },
}
INFERENCE_INPUT: dict[str, Any] = {
    "type": "object",
    "title": "InferenceInput",
    "required": ["name", "shape", "datatype"],
    "properties": {
        "name": {"type": "string", "enum": ["image", "fitted"]},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 1}},
        "datatype": {"type": "string", "enum": ["BYTES", "FP32"]},
        "parameters": _PARAMETERS
        | {"description": "`binary_data_size`, or `content_type`: base64."},
        "data": _ELEMENTS,
    },
}
INFERENCE_WANTED: dict[str, Any] = {
    "type": "object",
    "title": "InferenceWanted",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "parameters": _PARAMETERS | {"description": "`binary_data`: true for a binary tensor."},
    },
}
SCHEMAS = {
    "InferenceRequest": INFERENCE_REQUEST,
    "InferenceInput": INFERENCE_INPUT,
    "InferenceWanted": INFERENCE_WANTED,
}
"""Schemas of the body, by name."""

INFERENCE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": (
            "One input: `image` with the bytes of mammograms, or `fitted` with images on the "
            "model's grid. JSON alone has at most 16 MiB. For binary tensors the header "
            "Inference-Header-Content-Length tells the bytes of the JSON, and the tensors follow "
            "it. Each element of `image` then has its length before it, as 4 bytes, little-endian."
        ),
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/InferenceRequest"},
                "example": {
                    "inputs": [
                        {"name": "image", "shape": [1], "datatype": "BYTES", "data": ["iVBORw0K"]}
                    ],
                    "outputs": [{"name": "probabilities"}, {"name": "positive"}],
                },
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}

_FACTS = {
    "digest": MODEL["digest"],
    "intended_use": MODEL["intended_use"],
    "positive_class": "cancer",
    "threshold": 0.42,
}
_ANSWER: dict[str, Any] = {
    "model_name": MODEL["name"],
    "model_version": str(MODEL["version"]),
    "parameters": _FACTS,
    "outputs": [
        {"name": "probabilities", "datatype": "FP32", "shape": [1, 2], "data": [0.82, 0.18]},
        {"name": "positive", "datatype": "BOOL", "shape": [1], "data": [False]},
    ],
}
_MODEL: dict[str, Any] = {
    "name": MODEL["name"],
    "versions": [str(MODEL["version"])],
    "platform": "tensorflow_savedmodel",
    "inputs": [
        {"name": "image", "datatype": "BYTES", "shape": [-1]},
        {"name": "fitted", "datatype": "FP32", "shape": [-1, 256, 192, 1]},
    ],
    "outputs": [
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]},
        {"name": "positive", "datatype": "BOOL", "shape": [-1]},
    ],
    "properties": {"digest": MODEL["digest"], "positive_class": "cancer"},
}
_READY = {"name": MODEL["name"], "ready": True}

INFERENCE_EXAMPLES: dict[str, dict[str, Any]] = {
    "check_server_live": {"live": True},
    "check_server_ready": {"ready": True},
    "describe_server": {"name": "mammolens", "version": "1", "extensions": ["binary_tensor_data"]},
    "describe_inference_model": _MODEL,
    "describe_inference_version": _MODEL,
    "check_model_ready": _READY,
    "check_version_ready": _READY,
    "infer": _ANSWER,
    "infer_version": _ANSWER,
}
"""Example of each operation that answers in JSON, by its ID."""
