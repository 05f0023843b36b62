"""The result of an image as a row of a table, and the schema of the table."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import pyarrow as pa

from service.errors import MammolensError
from service.imaging import FileOrigin
from service.model import Manifest
from service.pipeline import Explanation, ImagePrediction, decide_image
from service.records import Diagnostic, HeatRegion, ImageFacts, QualityWarning

Row = dict[str, Any]
"""Cells by column. A column that is left out is null."""

TEXT = pa.string()
_NUMBER = pa.float64()
_POINT = pa.list_(_NUMBER)

WARNINGS = pa.list_(pa.struct([("code", TEXT), ("message", TEXT)]))
PROBLEM = pa.struct([("slug", TEXT), ("title", TEXT), ("detail", TEXT), ("remedy", TEXT)])
_DIAGNOSTICS = pa.list_(pa.struct([("name", TEXT), ("value", _NUMBER), ("unusual", pa.bool_())]))
_REGIONS = pa.list_(
    pa.struct(
        [
            ("contour", pa.list_(_POINT)),
            ("box", pa.list_(_NUMBER)),
            ("area", _NUMBER),
            ("area_mm2", _NUMBER),
            ("heat_share", _NUMBER),
            ("peak", _POINT),
            ("peak_value", _NUMBER),
        ]
    )
)

IMAGE_ROW = pa.schema(
    [
        # Identity
        ("number", pa.int64()),
        ("path", TEXT),
        ("exam", TEXT),
        ("sha256", TEXT),
        ("study", TEXT),
        ("patient", TEXT),
        ("instance", TEXT),
        # Facts of the file
        ("format", TEXT),
        ("rows", pa.int32()),
        ("columns", pa.int32()),
        ("transfer_syntax", TEXT),
        ("laterality", TEXT),
        ("laterality_source", TEXT),
        ("view", TEXT),
        ("view_source", TEXT),
        ("view_modifiers", pa.list_(TEXT)),
        ("partial_view", pa.bool_()),
        ("derivation", TEXT),
        ("pixel_spacing_mm", pa.list_(_NUMBER)),
        # Results
        ("probability", _NUMBER),
        ("positive", pa.bool_()),
        ("percentile", _NUMBER),
        ("diagnostics", _DIAGNOSTICS),
        ("warnings", WARNINGS),
        ("problem", PROBLEM),
        ("heat", TEXT),
        ("regions", _REGIONS),
    ]
)
"""Columns of an image. docs/scoring.md describes them."""

_FACTS = IMAGE_ROW.names[IMAGE_ROW.names.index("format") : IMAGE_ROW.names.index("probability")]


def prediction_row(prediction: ImagePrediction, manifest: Manifest) -> Row:
    """Return the facts and results of an image that was predicted."""
    probability = prediction.probabilities[manifest.positive_class]
    decision = decide_image(manifest, probability, positive=probability >= manifest.threshold)
    facts = prediction.reading.facts
    return {
        **{name: getattr(facts, name) for name in _FACTS},
        "probability": probability,
        "positive": decision.positive,
        "percentile": decision.percentile,
        "diagnostics": _diagnostics(prediction.diagnostics),
        "warnings": warning_cells(prediction.warnings),
    }


def explanation_row(explanation: Explanation, manifest: Manifest) -> Row:
    """Return the facts and results of an image that was explained.

    Diagnostics and warnings cover the heatmap, too.
    """
    return {
        **prediction_row(explanation.prediction, manifest),
        "diagnostics": _diagnostics(explanation.diagnostics),
        "warnings": warning_cells(explanation.warnings),
        "heat": explanation.class_explanation.heatmap.state.value,
        "regions": [_region(region) for region in explanation.regions],
    }


def problem_row(error: MammolensError) -> Row:
    """Return the reason for which an image is refused, or an exam is not decided."""
    texts = {"title": error.title, "detail": str(error), "remedy": error.remedy}
    return {"problem": {"slug": error.slug, **texts}}


def fingerprint_cells(origin: FileOrigin | None, facts: ImageFacts | None, key: bytes) -> Row:
    """Return fingerprints of the study, the patient and the image as far as the file names them."""
    uid = None if facts is None else facts.sop_instance_uid
    prints = {
        "study": None if origin is None else origin.study,
        "patient": None if origin is None else origin.patient,
        "instance": None
        if uid is None
        else blake2b(uid.encode(), digest_size=16, key=key).digest(),
    }
    return {name: None if value is None else value.hex() for name, value in prints.items()}


def warning_cells(warnings: Sequence[QualityWarning]) -> list[Row]:
    """Return the cells of warnings."""
    return [{"code": warning.code, "message": warning.message} for warning in warnings]


def _diagnostics(diagnostics: Mapping[str, Diagnostic]) -> list[Row]:
    return [
        {"name": name, "value": one.value, "unusual": one.unusual}
        for name, one in diagnostics.items()
    ]


def _region(region: HeatRegion) -> Row:
    """Return the cells of a region. Those of points are lists."""
    return {name: getattr(region, name) for name in HeatRegion.__dataclass_fields__}
