"""One answer per route for the OpenAPI document, shortened where a real one is long; a test holds their shape."""

from typing import Any

_TINY_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="  # one black pixel
)
_MODEL = {
    "name": "demo",
    "version": 1,
    "digest": "5f1c9b6f0a4d4d5c8e2b7a3f6c1d0e9b8a7f6e5d4c3b2a190807060504030201",
    "intended_use": "Demonstration and integration tests only. Not a medical device.",
}
_LAYER = {
    "name": "conv2d_2",
    "height": 57,
    "width": 41,
    "filters": 48,
    "stage": "deep",
    "reading": "Deep layer: its filters respond to abstract features; where the bright cells lie says the most.",
    "receptive_field": {
        "height": 32, "width": 32, "stride_y": 4.0, "stride_x": 4.0, "offset_y": 15.5, "offset_x": 15.5,
    },
}  # fmt: skip
_ANSWER = {
    "model": _MODEL,
    "image": {
        "format": "dicom",
        "rows": 2776,
        "columns": 2082,
        "bits": 12,
        "photometric": "MONOCHROME2",
        "transfer_syntax": "JPEG 2000 Image Compression (Lossless Only)",
        "window": "1 of 1, LINEAR",
        "laterality": "L",
        "view": "CC",
        "pixel_spacing_mm": [0.1, 0.1],
        "sop_instance_uid": "1.2.826.0.1.3680043.8.498.1",
        "chest_wall": "left",
        "breast_box": {"left": 0, "top": 310, "right": 1204, "bottom": 2411},
    },
    "warnings": [],
    "timings_ms": {"decode": 310.2, "fit": 14.8, "model": 12.1},
}
_PREDICTION = {
    "label": "cancer",
    "positive": True,
    "probabilities": {"no_cancer": 0.07, "cancer": 0.93},
    "positive_class": "cancer",
    "threshold": 0.42,
    "threshold_rule": "Highest sensitivity at a specificity of at least 90 % on validation images.",
}

PREDICT: dict[str, Any] = _ANSWER | {"prediction": _PREDICTION}
ACTIVATIONS: dict[str, Any] = _ANSWER | {
    "layer": _LAYER,
    "cell_to_source": [[32.8, 0.0, 127.3], [0.0, 32.8, 441.1]],
    "filters": [
        {"index": 0, "mean": 0.31, "maximum": 2.7, "zero_share": 0.64, "black": 0.0, "white": 3.9, "png": _TINY_PNG}
    ],
}
GRADCAM: dict[str, Any] = _ANSWER | {
    "prediction": _PREDICTION,
    "layer": _LAYER,
    "class": "cancer",
    "state": "ok",
    "peak": {"value": 1.83, "row": 30, "column": 12, "x": 520.9, "y": 1425.1},
    "values": [[0.0, 0.12], [0.4, 1.83]],
    "cell_to_source": [[32.8, 0.0, 127.3], [0.0, 32.8, 441.1]],
    "diagnostics": {
        "heat_in_breast": 0.98, "breast_share": 0.71, "lift": 1.38, "peak_in_breast": True, "area_above_half": 0.01,
        "entropy": 0.54,
    },
    "picture": {"width": 768, "height": 1024, "to_source": [[2.71, 0.0, 0.86], [0.0, 2.71, 0.86]], "png": _TINY_PNG},
}  # fmt: skip
MODEL: dict[str, Any] = {
    "model": _MODEL,
    "created": "2026-11-23",
    "classes": ["no_cancer", "cancer"],
    "positive_class": "cancer",
    "threshold": 0.42,
    "threshold_rule": _PREDICTION["threshold_rule"],
    "temperature": 1.2,
    "input_height": 256,
    "input_width": 192,
    "default_layer": "conv2d_2",
    "training": "Synthetic phantoms.",
    "figures": {"breast_auc": 0.97},
    "limitations": "It has never seen a real mammogram.",
}
LAYERS: dict[str, Any] = {"default_layer": "conv2d_2", "layers": [_LAYER]}
ALIVE: dict[str, Any] = {"status": "alive"}
READY: dict[str, Any] = {"status": "ready"}


def show(example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI response that shows that example."""
    return {200: {"content": {"application/json": {"example": example}}}}
