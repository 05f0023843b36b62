"""Results of the pipeline -> the JSON and headers that carry them."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from fastapi import Response

from service import explanation
from service.api import schemas
from service.api.negotiation import MediaType
from service.geometry import Affine
from service.imaging import Reading
from service.model import Manifest, Model
from service.pipeline import Prediction
from service.results import Caution, Layer, Measure
from service.stopwatch import Stopwatch

BINARY = {"type": "string", "format": "binary"}
PICTURE_HEADERS = {
    "Mammolens-Model": {"description": "name/version of the model", "schema": {"type": "string"}},
    "Mammolens-Warnings": {"description": "codes of all warnings, comma-separated", "schema": {"type": "string"}},
    "Server-Timing": {"description": "milliseconds by step", "schema": {"type": "string"}},
}
"""The headers of an image answer: a picture, too, says who made it and how far to trust it."""


def picture(description: str, example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI response that says that the answer is JSON like the example, or a PNG."""
    content = {MediaType.JSON.value: {"example": example}, MediaType.PNG.value: {"schema": BINARY}}
    return {200: {"description": description, "content": content, "headers": PICTURE_HEADERS}}


def model_name(model: Model) -> schemas.ModelName:
    """Which model answers."""
    manifest = model.manifest
    return schemas.ModelName(
        name=manifest.name, version=manifest.version, digest=model.digest, intended_use=manifest.intended_use
    )


def image(reading: Reading) -> schemas.Image:
    """What was read of the image and where the breast is in it."""
    return schemas.Image(**asdict(reading.facts), chest_wall=reading.fitted.side, breast_box=reading.fitted.box)


def prediction(found: Prediction, manifest: Manifest) -> schemas.Prediction:
    """The decision at the model's operating point; below it, the likeliest of the other classes."""
    probability = found.probabilities[manifest.positive_class]
    others = {name: value for name, value in found.probabilities.items() if name != manifest.positive_class}
    positive = probability >= manifest.threshold
    return schemas.Prediction(
        label=manifest.positive_class if positive else max(others, key=others.__getitem__),
        positive=positive,
        probabilities=dict(found.probabilities),
        positive_class=manifest.positive_class,
        threshold=manifest.threshold,
        threshold_rule=manifest.threshold_rule,
    )


def layer(found: Layer) -> schemas.Layer:
    """A layer and how to read it."""
    return schemas.Layer(
        name=found.name,
        height=found.height,
        width=found.width,
        filters=found.filters,
        stage=found.stage,
        reading=explanation.reading(found.stage),
        receptive_field=found.receptive_field,
    )


def diagnostics(found: Mapping[str, Measure]) -> schemas.Diagnostics:
    """The figures by name."""
    return {name: schemas.Measure.model_validate(measure) for name, measure in found.items()}


def matrix(affine: Affine) -> list[list[float]]:
    """The affine as nested lists."""
    return [list(row) for row in affine.matrix()]


def base64_png(png: bytes) -> str:
    """The PNG as it goes into JSON."""
    return base64.b64encode(png).decode("ascii")


def as_json(body: schemas.Schema, watch: Stopwatch) -> Response:
    """The body as JSON."""
    headers = {"Server-Timing": server_timing(watch)}
    return Response(body.model_dump_json(by_alias=True), headers=headers, media_type=MediaType.JSON)


def as_png(png: bytes, model: Model, found: Iterable[Caution], watch: Stopwatch) -> Response:
    """The picture, with what it needs to be trusted in its headers."""
    headers = {
        "Mammolens-Model": f"{model.manifest.name}/{model.manifest.version}",
        "Mammolens-Warnings": ", ".join(caution.code for caution in found),
        "Server-Timing": server_timing(watch),
    }
    return Response(png, headers=headers, media_type=MediaType.PNG)


def png_text(model: Model, layer_name: str, found: Iterable[Caution]) -> dict[str, str]:
    """What a picture says of itself in its text chunks."""
    return {
        "Software": f"mammolens, model {model.manifest.name}/{model.manifest.version}, digest {model.digest}",
        "Layer": layer_name,
        "Warnings": json.dumps([caution.code for caution in found]),
        "Intended use": model.manifest.intended_use,
    }


def server_timing(watch: Stopwatch) -> str:
    """The steps as a Server-Timing header (W3C Server Timing)."""
    return ", ".join(f"{step};dur={milliseconds:.1f}" for step, milliseconds in watch.milliseconds.items())
