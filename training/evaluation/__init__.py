"""Measure a trained network: discrimination, calibration and localisation."""
