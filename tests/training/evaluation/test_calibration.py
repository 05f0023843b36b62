import numpy as np
import pytest

from training.evaluation.calibration import (
    Bin,
    calibrate,
    expected_calibration_error,
    fit_temperature,
    reliability,
)


def test_temperature_undoes_overconfidence() -> None:
    # Of 10 images with margin m, 9 are as predicted: the calibrated margin is ln 9 for any m.
    labels = np.array(([1] * 9 + [0]) + ([0] * 9 + [1]), dtype=np.int32)

    for margin in (1.0, 5.0, 20.0):
        margins = np.array([margin] * 10 + [-margin] * 10)
        assert fit_temperature(labels, margins) == pytest.approx(margin / np.log(9), rel=1e-3)


def test_margins_without_errors_keep_their_temperature() -> None:
    assert fit_temperature(np.array([0, 1], np.int32), np.array([-1.0, 1.0])) == 1


def test_temperature_stays_within_its_bound() -> None:
    # The one error of a thousand is so small that a tiny temperature would be best.
    labels = np.array([0, 1] * 500, np.int32)
    margins = np.array([-1.0, 1.0] * 499 + [-1.0, -1e-9])

    assert 1 / 20 <= fit_temperature(labels, margins) < 0.06


def test_calibration_divides_logits_by_temperature() -> None:
    logits = np.array([0.3, 2.1])
    scaled = np.exp(logits / 1.7)

    probability = calibrate(np.array([1.8]), 1.7)[0]

    assert probability == pytest.approx(scaled[1] / scaled.sum())


def test_calibration_error_equals_hand_worked_case() -> None:
    labels = np.array([0, 1, 0, 1, 1], dtype=np.int32)
    probabilities = np.array([0.05, 0.55, 0.55, 0.95, 1.0])

    bins = reliability(labels, probabilities)

    assert [group.count for group in bins] == [1, 2, 2]
    # |0.05 - 0| * 1/5 + |0.55 - 0.5| * 2/5 + |0.975 - 1| * 2/5
    assert expected_calibration_error(bins) == pytest.approx(0.01 + 0.02 + 0.01)


def test_perfectly_calibrated_bins_have_no_error() -> None:
    assert expected_calibration_error([Bin(0.25, 0.25, 8), Bin(0.5, 0.5, 2)]) == 0
