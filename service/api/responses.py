"""Results of the pipeline as JSON bodies and headers."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from fastapi import Response

from service.api import schemas
from service.api.negotiation import MediaType
from service.api.schemas.rounding import FIGURE_DIGITS, SHARE_DIGITS, kept_apart
from service.explanation import stage_guide
from service.geometry import Affine
from service.imaging import Reading
from service.model import Manifest, Model
from service.observability.stopwatch import Stopwatch
from service.pipeline import Explanation, ImagePrediction
from service.records import ConvLayer, Diagnostic, QualityWarning

_TIMING_HEADER = {
    "Server-Timing": {
        "description": "milliseconds by step",
        "schema": {"type": "string"},
    },
}
TIMED: dict[int | str, dict[str, Any]] = {200: {"headers": _TIMING_HEADER}}
"""Declaration in OpenAPI of a JSON answer whose steps are timed."""

PICTURE_HEADERS = {
    "Mammolens-Model": {
        "description": "name/version of the model",
        "schema": {"type": "string"},
    },
    "Mammolens-Warnings": {
        "description": "codes of all warnings, comma-separated; left out if there are none",
        "schema": {"type": "string"},
    },
    **_TIMING_HEADER,
}
"""Headers of a picture: they name the model and the warnings."""
HEAT_HEADERS = {
    "Mammolens-Scale": {
        "description": "the heat drawn at full strength: `reference` or `image`",
        "schema": {"type": "string"},
    },
    "Mammolens-Note": {
        "description": "how to read the heat of an image decided negative",
        "schema": {"type": "string"},
    },
}
"""Further headers of a picture of heat."""

_BINARY = {"type": "string", "format": "binary"}


def document_picture(
    media_type: MediaType, description: str, headers: Mapping[str, Any] = MappingProxyType({})
) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI response of a route that answers with a picture.

    `headers`: beyond those of every picture.
    """
    content = {media_type.value: {"schema": _BINARY}}
    documented = {**PICTURE_HEADERS, **headers}
    return {200: {"description": description, "content": content, "headers": documented}}


def model_name(model: Model) -> schemas.ModelName:
    """Return the identity of the model."""
    manifest = model.manifest
    return schemas.ModelName(
        name=manifest.name,
        version=manifest.version,
        digest=model.digest,
        intended_use=manifest.intended_use,
    )


def image(reading: Reading) -> schemas.Image:
    """Return the facts of the image and the position of the breast."""
    fitted = reading.fitted
    return schemas.Image(
        **asdict(reading.facts),
        chest_wall=fitted.side,
        breast_box=fitted.box,
        reduction=fitted.reduction,
    )


def prediction(result: ImagePrediction, manifest: Manifest) -> schemas.Prediction:
    """Return the decision at the operating point.

    Below it, the most probable of the other classes is decided. A probability below the threshold
    is below it after rounding, too.
    """
    probabilities = dict(result.probabilities)
    others = {name: p for name, p in probabilities.items() if name != manifest.positive_class}
    probability = probabilities[manifest.positive_class]
    positive = probability >= manifest.threshold
    if not positive:
        probabilities[manifest.positive_class] = kept_apart(
            probability, manifest.threshold, SHARE_DIGITS
        )
    levels = manifest.levels
    return schemas.Prediction(
        label=manifest.positive_class if positive else max(others, key=others.__getitem__),
        positive=positive,
        probabilities=probabilities,
        positive_class=manifest.positive_class,
        threshold=manifest.threshold,
        threshold_rule=manifest.threshold_rule,
        percentile=None if levels is None else levels.image.percentile(probability),
    )


def layer(described: ConvLayer) -> schemas.Layer:
    """Return a layer and a sentence on how to read its maps."""
    return schemas.Layer(
        name=described.name,
        height=described.height,
        width=described.width,
        filters=described.filters,
        stage=described.stage,
        reading=stage_guide(described.stage),
        receptive_field=described.receptive_field,
        effective_size=described.effective_size,
        tap=list(described.tap),
        methods=None if described.methods is None else list(described.methods),
    )


def heat(explanation: Explanation) -> schemas.Heat:
    """Return the heatmap, its peak and its regions, each region with the note."""
    heatmap = explanation.class_explanation.heatmap
    return schemas.Heat(
        state=heatmap.state,
        peak=heatmap.peak,
        relative_peak=explanation.strength.relative_peak,
        scale=explanation.strength.scale,
        note=explanation.note,
        values=heatmap.values.tolist(),
        cell_to_source=matrix(heatmap.to_source),
        regions=regions(explanation),
    )


def regions(explanation: Explanation) -> list[schemas.Region]:
    """Return the regions of the drawn heat, each with the note."""
    note = {"note": explanation.note}
    plain = map(schemas.Region.model_validate, explanation.regions)
    return [region.model_copy(update=note) for region in plain]


def diagnostics(by_name: Mapping[str, Diagnostic]) -> schemas.Diagnostics:
    """Return the diagnostics by name."""
    return {
        name: schemas.Measure(
            value=_shown_value(measure),
            reference=schemas.Range.model_validate(measure.reference)
            if measure.reference
            else None,
            unusual=measure.unusual,
            alarm=measure.alarm,
        )
        for name, measure in by_name.items()
    }


def _shown_value(measure: Diagnostic) -> float:
    """Return the value. If it is unusual, it is outside of its range after rounding, too."""
    reference = measure.reference
    if reference is None or not measure.unusual:
        return measure.value
    bound = reference.low if measure.alarm == "below" else reference.high
    return kept_apart(measure.value, bound, FIGURE_DIGITS)


def warnings(given: Iterable[QualityWarning]) -> list[schemas.Caution]:
    """Return the warnings."""
    return [schemas.Caution.model_validate(warning) for warning in given]


def matrix(affine: Affine) -> list[list[float]]:
    """Return the affine as nested lists."""
    return [list(row) for row in affine.matrix()]


def base64_png(png: bytes) -> str:
    """Return the PNG in base64, for JSON."""
    return base64.b64encode(png).decode("ascii")


def as_json(body: schemas.Schema, timer: Stopwatch) -> Response:
    """Return the body as a JSON response."""
    headers = {"Server-Timing": server_timing(timer)}
    content = body.model_dump_json(by_alias=True)
    return Response(content, headers=_filled(headers), media_type=MediaType.JSON)


def as_picture(
    content: bytes,
    media_type: MediaType,
    model: Model,
    given: Iterable[QualityWarning],
    facts: Mapping[str, str],
    timer: Stopwatch,
) -> Response:
    """Return the picture, with the model, the warnings and further facts in its headers."""
    headers = {f"Mammolens-{name}": value for name, value in facts.items()}
    headers |= evidence(model, given, timer)
    return Response(content, headers=_filled(headers), media_type=media_type)


def evidence(model: Model, given: Iterable[QualityWarning], timer: Stopwatch) -> dict[str, str]:
    """Return the headers of an answer that is no JSON: the model, the warnings and the steps."""
    headers = {
        "Mammolens-Model": f"{model.manifest.name}/{model.manifest.version}",
        "Mammolens-Warnings": ", ".join(warning.code for warning in given),
        "Server-Timing": server_timing(timer),
    }
    return _filled(headers)


def _filled(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that have a value."""
    return {name: value for name, value in headers.items() if value}


def picture_text(model: Model, layer_name: str, given: Iterable[QualityWarning]) -> dict[str, str]:
    """Return the provenance that a picture holds: model, layer and warnings."""
    manifest = model.manifest
    return {
        "Software": f"mammolens, model {manifest.name}/{manifest.version}, digest {model.digest}",
        "Layer": layer_name,
        "Warnings": json.dumps([warning.code for warning in given]),
        "Intended use": manifest.intended_use,
    }


def server_timing(timer: Stopwatch) -> str:
    """Return the steps as a Server-Timing header (W3C Server Timing)."""
    steps = timer.milliseconds.items()
    return ", ".join(f"{step};dur={milliseconds:.1f}" for step, milliseconds in steps)
