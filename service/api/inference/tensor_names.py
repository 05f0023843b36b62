"""Names and types of the tensors that go in and come out."""

from enum import StrEnum

LENGTH_HEADER = "Inference-Header-Content-Length"
"""Header with the number of bytes of the JSON before binary tensors."""
EXTENSION = "binary_tensor_data"
"""Name of the extension in the metadata of the server."""


class Datatype(StrEnum):
    """Types of tensors that are used here."""

    BYTES = "BYTES"
    FP32 = "FP32"
    FP64 = "FP64"
    BOOL = "BOOL"


class InputName(StrEnum):
    """Inputs, of which a request has one: files, or images on the model's grid."""

    IMAGE = "image"
    FITTED = "fitted"


INPUT_TYPES = {InputName.IMAGE: Datatype.BYTES, InputName.FITTED: Datatype.FP32}


class OutputName(StrEnum):
    """Outputs. Those of `HEAT_OUTPUTS` need the parameter `explain`."""

    PROBABILITIES = "probabilities"
    POSITIVE = "positive"
    LABEL = "label"
    WARNINGS = "warnings"
    DIAGNOSTICS = "diagnostics"
    HEATMAP = "heatmap"
    CELL_TO_SOURCE = "cell_to_source"
    EXPLANATION = "explanation"


HEAT_OUTPUTS = frozenset({OutputName.HEATMAP, OutputName.CELL_TO_SOURCE, OutputName.EXPLANATION})
