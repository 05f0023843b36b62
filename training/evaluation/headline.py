"""The figures of an evaluation that a bundle contains."""

from collections.abc import Mapping
from typing import Any

FLOOR_AUC = "floor_breast_auc_"
"""Begin of the names of the floors' figures."""

_BREAST_AUC = ("breasts", "auc", "value")

_FIGURES: Mapping[str, tuple[str, ...]] = {
    "test_patients": ("test", "patients"),
    "test_images": ("test", "images"),
    "prevalence": ("test", "prevalence"),
    "breast_auc": _BREAST_AUC,
    "breast_auc_low": ("breasts", "auc", "low"),
    "breast_auc_high": ("breasts", "auc", "high"),
    "breast_auc_within_machine": ("within_machine", "network", "breasts", "value"),
    "exam_auc": ("exams", "auc", "value"),
    "breast_sensitivity_at_90_specificity": ("breasts", "sensitivity_at_90_specificity", "value"),
    "image_auc": ("images", "auc", "value"),
    "image_sensitivity": ("images", "at_threshold", "sensitivity"),
    "image_specificity": ("images", "at_threshold", "specificity"),
    "expected_calibration_error": ("calibration", "expected_calibration_error", "value"),
}
"""Keys that lead to each figure in the document."""


def headline(document: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures of an evaluation that the bundle contains.

    Figures that the test part does not define are left out.
    """
    paths = {
        **_FIGURES,
        **{f"{FLOOR_AUC}{name}": ("floor", name, *_BREAST_AUC) for name in document["floor"]},
        "lesion_hit_rate": ("localisation", "pointing"),
    }
    values = {name: _value(document, keys) for name, keys in paths.items()}
    return {name: value for name, value in values.items() if value is not None}


def _value(document: Mapping[str, Any], keys: tuple[str, ...]) -> float | None:
    """Return the value at the end of the keys, or None if one of them is missing."""
    value: Any = document
    for key in keys:
        value = None if value is None else value.get(key)

    return None if value is None else float(value)
