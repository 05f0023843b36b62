"""The figures of an evaluation that a bundle contains."""

from collections.abc import Mapping
from typing import Any

FLOOR_AUC = "floor_breast_auc_"
"""Begin of the names of the floors' figures."""


def headline(document: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures of an evaluation that the bundle contains."""
    figures = {
        "test_patients": document["test"]["patients"],
        "test_images": document["test"]["images"],
        "prevalence": document["test"]["prevalence"],
        "breast_auc": document["breasts"]["auc"]["value"],
        "breast_auc_low": document["breasts"]["auc"]["low"],
        "breast_auc_high": document["breasts"]["auc"]["high"],
        "exam_auc": document["exams"]["auc"]["value"],
        "breast_sensitivity_at_90_specificity": document["breasts"][
            "sensitivity_at_90_specificity"
        ]["value"],
        "image_auc": document["images"]["auc"]["value"],
        "image_sensitivity": document["images"]["at_threshold"]["sensitivity"],
        "image_specificity": document["images"]["at_threshold"]["specificity"],
        "expected_calibration_error": document["calibration"]["expected_calibration_error"],
        **{
            f"{FLOOR_AUC}{name}": floor["breasts"]["auc"]["value"]
            for name, floor in document["floor"].items()
        },
    }
    if "localisation" in document:
        figures["lesion_hit_rate"] = document["localisation"]["pointing"]

    return figures
