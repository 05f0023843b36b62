"""One example answer per route for the OpenAPI document. Long answers are shortened.

A test holds them against their schemas and against the shape of answers.
"""

from collections.abc import Mapping
from typing import Any

from service.api.openapi.inference_body import INFERENCE_EXAMPLES
from service.api.openapi.model_examples import (
    CURVES,
    LAYER,
    LAYERS,
    MODEL,
    MODEL_FACTS,
    SCORECARD,
)

# One black pixel.
_TINY_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
_ANSWER = {
    "model": MODEL,
    "image": {
        "format": "dicom",
        "rows": 960,
        "columns": 720,
        "bits": 12,
        "photometric": "MONOCHROME2",
        "transfer_syntax": "JPEG 2000 Image Compression (Lossless Only)",
        "lossy": False,
        "window": "1 of 1, LINEAR",
        "laterality": "R",
        "laterality_source": "header",
        "view": "MLO",
        "view_source": "header",
        "view_modifiers": [],
        "patient_orientation": ["P", "FL"],
        "implant": False,
        "partial_view": False,
        "burned_in_annotation": False,
        "derivation": None,
        "pixel_spacing_mm": [0.30208, 0.30208],
        "pixel_spacing_plane": "detector",
        "sop_instance_uid": "1.2.826.0.1.3680043.8.498.1",
        "chest_wall": "right",
        "breast_box": {"left": 332, "top": 0, "right": 720, "bottom": 840},
        "reduction": 2,
    },
    "diagnostics": {
        "domain_distance": {
            "value": 0.94,
            "reference": None,
            "unusual": False,
            "alarm": "above",
        },
    },
    "warnings": [],
    "timings_ms": {"decode": 80.1, "fit": 21.7, "model": 12.8},
}
_PREDICTION = {
    "label": "cancer",
    "positive": True,
    "probabilities": {"no_cancer": 0.000089, "cancer": 0.999911},
    "positive_class": "cancer",
    "threshold": 0.117978,
    "threshold_rule": (
        "Highest sensitivity at a specificity of at least 90 %, over single images of the "
        "validation patients."
    ),
    "percentile": 99.6,
}

_PREDICT: dict[str, Any] = _ANSWER | {"prediction": _PREDICTION}
_ACTIVATIONS: dict[str, Any] = _ANSWER | {
    "layer": LAYER,
    "cell_to_source": [[29.593, 0.0, 204.91], [0.0, 29.531, 99.578]],
    "filters": [
        {
            "index": 0,
            "mean": 0.31,
            "maximum": 2.7,
            "zero_share": 0.64,
            "black": 0.0,
            "white": 3.9,
            "png": _TINY_PNG,
        }
    ],
}
_GRADCAM: dict[str, Any] = _ANSWER | {
    "prediction": _PREDICTION,
    "method": "grad-cam",
    "layer": LAYER,
    "class": "cancer",
    "state": "ok",
    "peak": {"value": 0.02145, "row": 14, "column": 2, "x": 560.03, "y": 513.02},
    "relative_peak": 1.09,
    "scale": "reference",
    "note": None,
    "values": [[0.0, 0.0012], [0.0004, 0.02145]],
    "cell_to_source": [[-29.593, 0.0, 619.212], [0.0, 29.531, 99.578]],
    "diagnostics": {
        "lift": {
            "value": 1.41,
            "reference": {"low": 0.81, "high": 1.62},
            "unusual": False,
            "alarm": "below",
        },
        "entropy": {
            "value": 0.74,
            "reference": {"low": 0.55, "high": 0.84},
            "unusual": False,
            "alarm": "above",
        },
    },
    "regions": [
        {
            "contour": [[520.0, 480.0], [600.0, 480.0], [600.0, 545.0], [520.0, 545.0]],
            "box": [519.8, 479.8, 600.2, 545.2],
            "area": 5258.2,
            "area_mm2": 479.8,
            "heat_share": 0.41,
            "peak": [560.03, 513.02],
            "peak_value": 0.02145,
            "note": None,
        }
    ],
    "picture": {
        "width": 384,
        "height": 512,
        "to_source": [[1.875, 0.0, 0.4375], [0.0, 1.875, 0.4375]],
        "png": _TINY_PNG,
    },
}

_LEVEL = {
    "threshold": 0.1207,
    "threshold_rule": (
        "Highest sensitivity at a specificity of at least 90 %. It is that of exams with 1 of 4 "
        "views."
    ),
    "positive": True,
    "percentile": None,
}
_EXAM: dict[str, Any] = {
    "model": MODEL,
    "method": "grad-cam",
    "layer": LAYER,
    "images": [
        {
            "status": "answered",
            "image": _ANSWER["image"],
            "prediction": _PREDICTION,
            "heat": {
                name: _GRADCAM[name]
                for name in (
                    "state", "peak", "relative_peak", "scale", "note", "values", "cell_to_source",
                    "regions",
                )
            },
            "diagnostics": _GRADCAM["diagnostics"],
            "warnings": [],
            "counted": True,
            "not_counted": None,
        },
        {
            "status": "refused",
            "problem": {
                "type": "urn:mammolens:for-processing",
                "title": "Raw image, not for presentation",
                "status": 415,
                "detail": "The image holds raw detector values (FOR PROCESSING).",
                "remedy": "Send the image FOR PRESENTATION that was made from it.",
            },
        },
    ],
    "breasts": {"L": None, "R": {"probability": 0.999911, **_LEVEL, "images": [0]}},
    "exam": {
        "probability": 0.999911,
        **_LEVEL,
        "driven_by": "R",
        "views": ["R-MLO"],
        "missing_views": ["L-CC", "L-MLO", "R-CC"],
        "complete": False,
    },
    "warnings": [],
    "timings_ms": {"decode": 80.1, "fit": 21.7, "explain": 31.9},
}  # fmt: skip

EXAM_PIXELS: dict[str, Any] = _EXAM | {
    "pixels": [
        {
            "rows": 960,
            "columns": 720,
            "to_source": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
            "slope": 1.0,
            "intercept": 0.0,
            "lowest": 0.0,
            "highest": 3891.0,
            "padding": None,
            "inverted": False,
            "presets": [
                {
                    "name": "NORMAL",
                    "function": "LINEAR",
                    "center": 2048.0,
                    "width": 4096.0,
                    "table": None,
                }
            ],
            "heat": {
                "rows": 256,
                "columns": 125,
                "to_source": [[-2.544274, 0.0, 718.772], [0.0, 2.544274, 165.946]],
                "maximum": 0.02145,
                "full_value": 0.01968,
            },
        },
        None,
    ]
}
"""Example of the JSON in the answer of /exam/pixels."""

EXAMPLES: Mapping[str, dict[str, Any]] = {
    "predict": _PREDICT,
    "show_activations": _ACTIVATIONS,
    "explain": _GRADCAM,
    "explain_exam": _EXAM,
    "describe_model": MODEL_FACTS,
    "reload_model": MODEL_FACTS,
    "list_layers": LAYERS,
    "show_curves": CURVES,
    "show_scorecard": SCORECARD,
    "check_alive": {"status": "alive"},
    "check_ready": {"status": "ready"},
    **INFERENCE_EXAMPLES,
}
"""Example of each operation that answers in JSON, by its ID."""
