from typing import Any

from training.evaluation.headline import headline


def interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


def document(**changes: Any) -> dict[str, Any]:
    """Return an evaluation in which every figure has another value."""
    whole = {
        "test": {"patients": 10, "images": 40, "prevalence": 0.2},
        "images": {
            "auc": interval(0.71),
            "at_threshold": {"sensitivity": 0.5, "specificity": 0.91},
        },
        "breasts": {"auc": interval(0.72), "sensitivity_at_90_specificity": interval(0.4)},
        "exams": {"auc": interval(0.73)},
        "calibration": {"expected_calibration_error": interval(0.11)},
        "floor": {"metadata": {"images": {}, "breasts": {"auc": interval(0.61)}}},
        "within_machine": {"network": {"images": interval(0.7), "breasts": interval(0.69)}},
        "localisation": {"pointing": 0.8},
    }
    return whole | changes


def test_bundle_gets_the_figures_of_every_level() -> None:
    assert headline(document()) == {
        "test_patients": 10,
        "test_images": 40,
        "prevalence": 0.2,
        "breast_auc": 0.72,
        "breast_auc_low": 0.72 - 0.1,
        "breast_auc_high": 0.72 + 0.1,
        "breast_auc_within_machine": 0.69,
        "exam_auc": 0.73,
        "breast_sensitivity_at_90_specificity": 0.4,
        "image_auc": 0.71,
        "image_sensitivity": 0.5,
        "image_specificity": 0.91,
        "expected_calibration_error": 0.11,
        "floor_breast_auc_metadata": 0.61,
        "lesion_hit_rate": 0.8,
    }


def test_figures_without_a_value_are_left_out() -> None:
    """The test part has no machine, no exam without cancer, no floor of breasts and no mask."""
    whole = document(
        exams={}, within_machine=None, floor={"metadata": {"images": {}, "breasts": {}}}
    )
    del whole["localisation"]

    absent = {
        "breast_auc_within_machine",
        "exam_auc",
        "floor_breast_auc_metadata",
        "lesion_hit_rate",
    }
    assert set(headline(document())) - set(headline(whole)) == absent


def test_machines_of_one_class_give_no_figure() -> None:
    whole = document(within_machine={"network": {"images": None, "breasts": None}})

    assert "breast_auc_within_machine" not in headline(whole)
