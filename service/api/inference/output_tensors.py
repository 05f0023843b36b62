"""Output tensors: the results of all images of a request, as JSON or binary."""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.api import responses, schemas
from service.api.inference.tensor_names import Datatype, OutputName
from service.model import Manifest
from service.pipeline import Explanation, ImagePrediction
from service.records import QualityWarning

_FORMATS = {Datatype.FP32: "f", Datatype.FP64: "d", Datatype.BOOL: "?"}


@dataclass(frozen=True, slots=True)
class InferredImage:
    """Results of one image. `explanation`: None if none was wanted."""

    prediction: ImagePrediction
    explanation: Explanation | None

    @property
    def warnings(self) -> tuple[QualityWarning, ...]:
        """All warnings about the image."""
        return (self.explanation or self.prediction).warnings


@dataclass(frozen=True, slots=True)
class OutputTensor:
    """A tensor of the answer. `values`: its elements in row-major order."""

    name: OutputName
    datatype: Datatype
    shape: list[int]
    values: Sequence[Any]

    def packed(self) -> bytes:
        """Return the elements as a binary tensor, little-endian."""
        if self.datatype is Datatype.BYTES:
            texts = [value.encode() for value in self.values]
            return b"".join(struct.pack("<I", len(text)) + text for text in texts)
        return struct.pack(f"<{len(self.values)}{_FORMATS[self.datatype]}", *self.values)


def tensors_of(
    images: Sequence[InferredImage], manifest: Manifest, wanted: Mapping[OutputName, bool]
) -> Iterator[OutputTensor]:
    """Yield the wanted outputs, in their order."""
    for name in wanted:
        of_images = [_element(name, image, manifest) for image in images]
        shape, datatype = _shape(name, images, manifest)
        values = [value for elements in of_images for value in elements]
        yield OutputTensor(name, datatype, [len(images), *shape], values)


def _shape(
    name: OutputName, images: Sequence[InferredImage], manifest: Manifest
) -> tuple[list[int], Datatype]:
    """Return the shape of an output for one image, and its type."""
    match name:
        case OutputName.PROBABILITIES:
            return [len(manifest.classes)], Datatype.FP32
        case OutputName.POSITIVE:
            return [], Datatype.BOOL
        case OutputName.HEATMAP:
            # One method and layer for all images: their heatmaps have one size.
            explanation = images[0].explanation
            size = () if explanation is None else explanation.class_explanation.heatmap.values.shape
            return list(size), Datatype.FP32
        case OutputName.CELL_TO_SOURCE:
            return [2, 3], Datatype.FP64
        case _:
            return [], Datatype.BYTES


def _element(name: OutputName, image: InferredImage, manifest: Manifest) -> list[Any]:
    """Return the elements of an output for one image."""
    prediction = image.prediction
    told = image.explanation or prediction
    match name:
        case OutputName.PROBABILITIES:
            return [prediction.probabilities[each] for each in manifest.classes]
        case OutputName.POSITIVE:
            return [responses.prediction(prediction, manifest).positive]
        case OutputName.LABEL:
            return [responses.prediction(prediction, manifest).label]
        case OutputName.WARNINGS:
            return [
                json.dumps([caution.model_dump() for caution in responses.warnings(told.warnings)])
            ]
        case OutputName.DIAGNOSTICS:
            measures = responses.diagnostics(told.diagnostics)
            return [json.dumps({key: value.model_dump() for key, value in measures.items()})]
        case _:
            return [] if image.explanation is None else _heat(name, image.explanation)


def _heat(name: OutputName, explanation: Explanation) -> list[Any]:
    """Return the elements of an output of the explanation."""
    class_explanation = explanation.class_explanation
    heatmap = class_explanation.heatmap
    if name is OutputName.HEATMAP:
        values: list[Any] = heatmap.values.ravel().tolist()
        return values
    if name is OutputName.CELL_TO_SOURCE:
        return [value for row in heatmap.to_source.matrix() for value in row]

    layer = class_explanation.layer
    told = schemas.InferredExplanation(
        method=class_explanation.method,
        layer=None if layer is None else layer.name,
        class_name=explanation.class_name,
        state=heatmap.state,
        relative_peak=explanation.strength.relative_peak,
        scale=explanation.strength.scale,
        note=explanation.note,
        regions=responses.regions(explanation),
    )
    return [told.model_dump_json(by_alias=True)]
