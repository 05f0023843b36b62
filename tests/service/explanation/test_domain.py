import numpy as np
import pytest

from service.explanation import distance, domain_warnings
from service.records import Domain

MEAN = np.array([1, 2, 3], np.float32)
COVARIANCE = np.array([[4, 1, 0], [1, 2, 0.5], [0, 0.5, 1]])
WHITENING = np.linalg.cholesky(np.linalg.inv(COVARIANCE)).astype(np.float32)
DOMAIN = Domain(MEAN, WHITENING, limit=1.5)


def test_distance_is_mahalanobis_per_feature() -> None:
    features = np.array([3, 1, 5], np.float32)
    difference = (features - MEAN).astype(np.float64)
    expected = np.sqrt(difference @ np.linalg.inv(COVARIANCE) @ difference / 3)

    assert distance(features, DOMAIN) == pytest.approx(expected, rel=1e-5)
    assert distance(MEAN, DOMAIN) == 0


def test_reference_image_has_distance_about_one() -> None:
    rng = np.random.default_rng(0)
    samples = rng.multivariate_normal(MEAN, COVARIANCE, 2000).astype(np.float32)

    squares = [distance(features, DOMAIN) ** 2 for features in samples]

    assert np.mean(squares) == pytest.approx(1, rel=0.05)


def test_warning_beyond_limit_states_distance_and_limit() -> None:
    assert domain_warnings(1.5, DOMAIN) == ()

    (warning,) = domain_warnings(1.51, DOMAIN)

    assert warning.code == "out-of-domain"
    assert "1.51" in warning.message
    assert "1.50" in warning.message
