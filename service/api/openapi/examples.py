"""One example answer per route for the OpenAPI document. Long answers are shortened.

A test holds them against their schemas and against the shape of answers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

# One black pixel.
_TINY_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
_MODEL = {
    "name": "demo",
    "version": 1,
    "digest": "1764f3375284be9608c569d8c67e151de8f58f5f7ea548d5d9c526c14f177b3e",
    "intended_use": "Demonstration and integration tests of the service.",
}
_LAYER = {
    "name": "conv2d_2",
    "height": 22,
    "width": 15,
    "filters": 48,
    "stage": "deep",
    "reading": (
        "Deep layer: its filters respond to abstract features. The position of the bright cells is"
    ),
    "receptive_field": {
        "height": 61,
        "width": 61,
        "stride_y": 9.0,
        "stride_x": 9.0,
        "offset_y": 30.0,
        "offset_x": 30.0,
    },
    "effective_size": {"height": 39.2, "width": 34.9},
    "tap": ["conv2d_2"],
    "methods": [
        "grad-cam",
        "grad-cam-plus-plus",
        "hires-cam",
        "layer-cam",
        "xgrad-cam",
        "eigen-cam",
    ],
}
_ANSWER = {
    "model": _MODEL,
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
    "layer": _LAYER,
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
    "layer": _LAYER,
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


def _level(threshold: float, cases: int, with_cancer: int, views: Sequence[int]) -> dict[str, Any]:
    """Return a level of decision with the same shares for every number of views."""
    shares = {
        "sensitivity": {"value": 0.982, "low": 0.957, "high": 0.994},
        "specificity": {"value": 0.901, "low": 0.878, "high": 0.921},
    }
    by_views = {
        str(number): {"threshold": threshold, **shares, "cases": cases // len(views)}
        for number in views
    }
    return {
        "target": "Highest sensitivity at a specificity of at least 90 %.",
        "threshold": threshold,
        **shares,
        "cases": cases,
        "with_cancer": with_cancer,
        "by_views": by_views,
    }


_MODEL_FACTS: dict[str, Any] = {
    "model": _MODEL,
    "created": "2026-11-25",
    "classes": ["no_cancer", "cancer"],
    "positive_class": "cancer",
    "threshold": 0.117978,
    "threshold_rule": _PREDICTION["threshold_rule"],
    "temperature": 0.9408,
    "input_height": 256,
    "input_width": 192,
    "default_layer": "conv2d_2",
    "training": (
        "Synthetic breast phantoms made by `python -m training phantoms`; no image of a person was "
        "used."
    ),
    "figures": {"breast_auc": 0.9996, "lesion_hit_rate": 0.9955},
    "limitations": (
        "Not a medical device. The model has never seen a mammogram of a person and says nothing "
        "about one."
    ),
    "warnings": [],
    "offset": -1.32,
    "deployment_prevalence": 0.12,
    "levels": {
        "image": _level(0.117978, 960, 104, ()),
        "breast": _level(0.0924, 480, 58, (1, 2)),
        "exam": _level(0.1207, 240, 56, (2, 4)),
    },
    "provenance": {
        "table_sha256": "1f0d6c5c9b0a4d2f8c5f5a7be1f0ad27aa4df4f1dc4be3ad1c4e9a9bb3f1c062",
        "images_sha256": "8be5c7e65d6d4f9d9b1df1d1d53ab2cd8b9d1b2f3d7f1c55d6f2ce0a7df3a1e9",
        "split_sha256": "53c8f1a92be74d06a1f5d38e0c97b264d1e8a5f30b9c72641f8e5d3a0b7c9264",
        "commit": "15d053c0d2b1f0e58c3d6f4a9b7e2c1d0f8a6b5e",
        "versions": {"python": "3.11.2", "keras": "3.12.0", "tensorflow": "2.20.0"},
        "device": "CPU",
        "seeds": {"training": 7, "split": 0},
        "patients": {"train": 560, "validation": 120, "test": 120},
        "images": {"train": 4480, "validation": 960, "test": 960},
    },
}
_SCORECARD: dict[str, Any] = {
    "model": _MODEL,
    "created": "2026-11-25",
    "images": 400,
    "passed": True,
    "lines": [
        {
            "name": "corners",
            "value": 0.52,
            "asked": "at most 0.65",
            "verdict": "pass",
            "meaning": "AUC with the four corners alone: a marker or a label betrays the class.",
        }
    ],
}
_LAYERS: dict[str, Any] = {"default_layer": "conv2d_2", "layers": [_LAYER]}

EXAMPLES: Mapping[str, dict[str, Any]] = {
    "predict": _PREDICT,
    "show_activations": _ACTIVATIONS,
    "explain": _GRADCAM,
    "describe_model": _MODEL_FACTS,
    "reload_model": _MODEL_FACTS,
    "list_layers": _LAYERS,
    "show_scorecard": _SCORECARD,
    "check_alive": {"status": "alive"},
    "check_ready": {"status": "ready"},
}
"""Example of each operation that answers in JSON, by its ID."""
