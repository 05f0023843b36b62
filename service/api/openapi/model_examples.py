"""Example answers about the model for the OpenAPI document."""

from collections.abc import Sequence
from typing import Any

MODEL = {
    "name": "demo",
    "version": 1,
    "digest": "1764f3375284be9608c569d8c67e151de8f58f5f7ea548d5d9c526c14f177b3e",
    "intended_use": "Demonstration and integration tests of the service.",
}
LAYER = {
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
_THRESHOLD_RULE = (
    "Highest sensitivity at a specificity of at least 90 %, over single images of the validation "
    "patients."
)


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


def _curve(auc: float, low: float, high: float, cases: int, with_cancer: int) -> dict[str, Any]:
    """Return the curve of a level, of three points."""
    return {
        "roc": {
            "false_positive_rate": [0, 0.1, 1],
            "sensitivity": [0.7634, 0.9777, 1],
            "low": [0.708, 0.9534, 1],
            "high": [0.8619, 0.9953, 1],
        },
        "auc": {"value": auc, "low": low, "high": high},
        "cases": cases,
        "with_cancer": with_cancer,
    }


MODEL_FACTS: dict[str, Any] = {
    "model": MODEL,
    "created": "2026-11-25",
    "classes": ["no_cancer", "cancer"],
    "positive_class": "cancer",
    "threshold": 0.117978,
    "threshold_rule": _THRESHOLD_RULE,
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
        "first_weights_sha256": None,
    },
}
SCORECARD: dict[str, Any] = {
    "model": MODEL,
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
CURVES: dict[str, Any] = {
    "model": MODEL,
    "levels": {
        "image": _curve(0.9866, 0.9757, 0.9956, 840, 224),
        "breast": _curve(0.9983, 0.9963, 0.9997, 420, 112),
        "exam": _curve(0.9966, 0.9923, 0.9995, 210, 112),
    },
    "calibration": {
        "error": 0.01928,
        "bins": [
            {
                "probability": 0.01082,
                "observed": 0.02381,
                "low": 0.006184,
                "high": 0.08726,
                "count": 84,
            },
            {"probability": 0.6501, "observed": 0.5833, "low": 0.4612, "high": 0.696, "count": 84},
        ],
    },
}
LAYERS: dict[str, Any] = {"default_layer": "conv2d_2", "layers": [LAYER]}
